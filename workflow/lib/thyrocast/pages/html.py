"""From templates to one self-contained HTML page, which needs no other file and no network."""

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

from thyrocast.pages import palette

HERE = Path(__file__).parent


def render(folder: Path, template: str, **context: Any) -> str:
    """Render a page.

    Parameters
    ----------
    folder
        Folder with ``templates/``, ``style.css`` and, if the page has one, ``script.js``: what the
        page has in addition to layout, style and script of every page.
    template
        Name of a template that extends ``layout.html.j2``.
    **context
        Variables of the templates. ``sections`` is the page's content: (id, title) of each section.

    Returns
    -------
    str
        The page; everything but the page's own style and script and ``unescaped`` text is escaped.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([folder / "templates", HERE / "templates"]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # For the page's own style and script, and for figures, whose text is escaped where they are drawn.
    environment.filters["unescaped"] = Markup
    environment.filters["coded"] = coded
    scripts = _texts(folder, "script.js")
    layout: Mapping[str, Any] = {
        "style": palette.stylesheet() + "".join(_texts(folder, "style.css")),
        "scripts": scripts,
        "script_hashes": [_hash(script) for script in scripts],
    }
    return environment.get_template(template).render(**layout, **context)


def coded(text: str) -> Markup:
    """Return text with what is between backticks as code; everything is escaped."""
    parts = [str(escape(part)) for part in text.split("`")]
    ends = ["", *["</code>" if place % 2 else "<code>" for place in range(len(parts) - 1)]]
    # An odd number of backticks leaves the last one open: it is not code.
    if len(parts) % 2 == 0:
        return Markup(escape(text))  # noqa: S704 - escaped here
    joined = "".join(tag + part for tag, part in zip(ends, parts, strict=True))
    return Markup(joined)  # noqa: S704 - every part is escaped above


def _texts(folder: Path, name: str) -> list[str]:
    """Return the texts of a file that every page has and, if it exists, of the page's own."""
    files = [HERE / name, folder / name]
    return [file.read_text(encoding="utf-8") for file in files if file.is_file()]


def _hash(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
