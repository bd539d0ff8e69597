"""A small distribution plot as inline SVG: this center's histogram above the other centers' ranges."""

from collections.abc import Mapping, Sequence
from html import escape

from thyrocast.check.values import Column, Floats, histogram, quartiles
from thyrocast.pages import numbers

WIDTH, BARS, GAP, ROW = 250, 34, 5, 9
#: Most other centers that are drawn.
MOST_OTHERS = 8


def distribution(column: Column, bins: int, shown: Sequence[int | None] | None = None) -> str:
    """Draw a column's distribution.

    Parameters
    ----------
    column
        With numbers.
    bins
        Bins of the histogram.
    shown
        Numbers of patients by bin, None for those that are not shown; the true ones by default.

    Returns
    -------
    str
        An ``svg`` element with a description for readers who cannot see it; "" without values.
    """
    edges, counts = histogram(column, bins)
    heights = counts if shown is None else [count or 0 for count in shown]
    if not counts or not any(heights):
        return ""
    low, high = float(edges[0]), float(edges[-1])

    def across(value: float) -> float:
        return round(WIDTH * min(max((value - low) / (high - low), 0.0), 1.0), 1)

    others = dict(list(column.others.items())[:MOST_OTHERS])
    rows = _ranges({"": column.values} | others)
    height = BARS + GAP + ROW * len(rows) + 13
    parts = [*_bars(heights), f'<path class="base" d="M0 {BARS + 0.5}H{WIDTH}"/>']
    if column.usual:
        left, right = (across(limit) for limit in column.usual)
        band = f'<rect class="usual" x="{left}" y="0" width="{max(right - left, 1):.1f}" height="{BARS}"/>'
        parts.insert(0, band)
    for number, (name, (first, middle, third)) in enumerate(rows.items()):
        y = BARS + GAP + ROW * number + 3
        kind = "other" if name else "own"
        parts.append(
            f'<path class="{kind}" d="M{across(first)} {y}H{max(across(third), across(first) + 1)}"/>'
        )
        parts.append(f'<circle class="{kind}" cx="{across(middle)}" cy="{y}" r="2.8"/>')
    parts.append(f'<text x="0" y="{height - 1}">{numbers.significant(low)}</text>')
    parts.append(
        f'<text x="{WIDTH}" y="{height - 1}" text-anchor="end">{numbers.significant(high)}</text>'
    )
    return (
        f'<svg class="spread" role="img" aria-label="{escape(spoken(column))}" '
        f'viewBox="-3 0 {WIDTH + 6} {height}" width="{WIDTH + 6}" height="{height}">{"".join(parts)}</svg>'
    )


def spoken(column: Column) -> str:
    """Return a distribution in words."""
    own = column.quartiles()
    text = f"{column.title}: "
    text += f"median {_words(own)}" if own else "too few values for a median"
    for name, values in column.others.items():
        other = quartiles(values)
        if other:
            text += f"; {name} {_words(other)}"
    return text


def _words(three: tuple[float, float, float]) -> str:
    low, middle, high = (numbers.significant(value) for value in three)
    return f"{middle} ({low} to {high})"


def _ranges(centers: Mapping[str, Floats]) -> dict[str, tuple[float, float, float]]:
    found = {name: quartiles(values) for name, values in centers.items()}
    return {name: three for name, three in found.items() if three}


def _bars(heights: Sequence[int]) -> list[str]:
    width, top = WIDTH / len(heights), max(heights)
    path = ""
    for number, count in enumerate(heights):
        if count:
            tall = max(BARS * count / top, 1.0)
            path += f"M{number * width + 0.5:.1f} {BARS}v-{tall:.1f}h{width - 1:.1f}v{tall:.1f}z"
    return [f'<path class="bars" d="{path}"/>']
