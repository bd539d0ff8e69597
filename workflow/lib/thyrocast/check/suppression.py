"""Small numbers of patients, which a public page does not show."""

from collections.abc import Sequence


def suppress(counts: Sequence[int], smallest: int) -> list[int | None]:
    """Replace numbers from 1 to below the smallest one that is shown by None.

    If one number alone were missing, it could be derived from the total: the smallest of the others
    is then replaced as well.

    Examples
    --------
    >>> suppress([40, 3, 12, 0], 10)
    [40, None, None, 0]
    """
    shown: list[int | None] = [None if 0 < count < smallest else count for count in counts]
    if shown.count(None) == 1:
        rest = [(count, at) for at, count in enumerate(shown) if count]
        if rest:
            shown[min(rest)[1]] = None
    return shown


def single(count: int, smallest: int) -> int | None:
    """Return a number that is part of no total, None if it is too small to be shown."""
    return None if 0 < count < smallest else count
