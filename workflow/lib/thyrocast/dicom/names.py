"""Convert file names, which may contain any bytes, to text that a table can contain."""

import urllib.parse


def quote_name(name: str) -> str:
    """Percent-encode a file name, so that it is printable ASCII; `unquote_name` reverses it.

    Parameters
    ----------
    name
        Path as `os.scandir` returns it; bytes that are not UTF-8 are surrogate escapes.
    """
    return urllib.parse.quote(name, safe="/ ", errors="surrogateescape")


def unquote_name(text: str) -> str:
    """Return the file name that `quote_name` encoded."""
    return urllib.parse.unquote(text, errors="surrogateescape")
