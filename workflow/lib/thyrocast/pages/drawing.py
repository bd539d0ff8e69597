"""From a matplotlib figure to a small inline SVG: text stays text, colors follow the theme.

The SVG of matplotlib is cleaned: metadata, addresses and ids that nothing refers to are removed, the
other ids are made unique on the page, and coordinates are rounded to a hundredth of a pixel.
"""

import io
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from html import escape
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from thyrocast.pages import palette

SVG = "{http://www.w3.org/2000/svg}"
LINK = "{http://www.w3.org/1999/xlink}href"
# One drawing unit is one CSS pixel: a panel of 400 fits a phone without shrinking the text much.
WIDTH = 400
NARROW = 300
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "thyrocast",
    # A name may contain any character, also those that mark mathematics.
    "text.parse_math": False,
    "font.family": "DejaVu Sans",
    "font.size": 11,
    "axes.labelsize": 11,
    "axes.titlesize": 11.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.9,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.edgecolor": palette.light("muted"),
    "axes.labelcolor": palette.light("ink"),
    "axes.titlecolor": palette.light("ink"),
    "text.color": palette.light("ink"),
    "grid.color": palette.light("faint"),
    "grid.linewidth": 0.9,
    "xtick.color": palette.light("muted"),
    "ytick.color": palette.light("muted"),
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "lines.linewidth": 1.9,
    "lines.solid_capstyle": "round",
    "path.simplify_threshold": 0.2,
}


@contextmanager
def panel(
    height: float,
    width: float = WIDTH,
    left: float = 52,
    right: float = 14,
    ratios: Sequence[float] = (1,),
) -> Iterator[tuple[Figure, list[Axes]]]:
    """Yield a figure and its axes, one below the other, in the report's style.

    Parameters
    ----------
    height, width
        Of the figure, in CSS pixels.
    left, right
        Margins for labels, in CSS pixels: fixed, so that panels are aligned and no layout is computed.
    ratios
        Relative heights of the axes.
    """
    top, bottom, gap = 10, 42, 14
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(width / 72, height / 72))
        figure.patch.set_visible(False)
        axes = figure.subplots(
            len(ratios), 1, squeeze=False,
            gridspec_kw={
                "left": left / width, "right": 1 - right / width,
                "top": 1 - top / height, "bottom": bottom / height,
                "hspace": gap * len(ratios) / (height - top - bottom - gap * (len(ratios) - 1)),
                "height_ratios": ratios,
            },
        )[:, 0]  # fmt: skip
        for one in axes:
            one.patch.set_visible(False)
        yield figure, list(axes)


def svg(figure: Figure, name: str, description: str) -> str:
    """Draw a figure as inline SVG.

    Parameters
    ----------
    figure
        Made by `panel`; call this function inside the context, which sets the style.
    name
        Unique on the page; the prefix of all ids.
    description
        What the figure shows, for readers who cannot see it.

    Returns
    -------
    str
        An ``svg`` element; all text is escaped.
    """
    buffer = io.StringIO()
    figure.savefig(
        buffer, format="svg", metadata={"Date": None, "Creator": None, "Type": None, "Format": None}
    )
    # The document type contains an address that the page must not contain.
    text = re.sub(r"<!DOCTYPE.*?>", "", buffer.getvalue(), count=1, flags=re.DOTALL)
    root = ElementTree.fromstring(text)  # noqa: S314 - written by matplotlib just now
    used = set(re.findall(r"(?:url\(|href=\")#([\w.-]+)", text))
    prefix = re.sub(r"\W+", "-", name)
    _, _, width, height = root.get("viewBox", "0 0 1 1").split()
    body = "".join(_write(child, used, prefix) for child in root)
    return palette.as_variables(
        f'<svg class="figure" role="img" aria-label="{escape(description)}" '
        f'viewBox="0 0 {float(width):g} {float(height):g}" style="max-width:{float(width) * 1.15:.0f}px">'
        f"{body}</svg>"
    )


def _write(element: ElementTree.Element, used: set[str], prefix: str) -> str:
    tag = element.tag.removeprefix(SVG)
    if tag in ("metadata", "style"):
        return ""
    attributes = {}
    for key, value in element.items():
        if key == "id":
            if value in used:
                attributes["id"] = f"{prefix}-{value}"
        elif key == LINK:
            attributes["href"] = f"#{prefix}-{value[1:]}"
        elif key == "style":
            attributes["style"] = (
                re.sub(r"\s*font-family:[^;]*;?", "", value).replace("; ", ";").replace(": ", ":")
            )
        elif not (key == "transform" and value.startswith("rotate(-0 ")):
            attributes[key] = value.replace("url(#", f"url(#{prefix}-")
    for key in ("d", "x", "y", "width", "height", "transform"):
        if key in attributes:
            attributes[key] = _short(attributes[key])
    inner = escape(element.text) if tag in ("text", "tspan") and element.text else ""
    inner += "".join(_write(child, used, prefix) for child in element)
    if tag in ("g", "defs") and not inner:
        return ""
    if tag == "g" and not attributes:
        return inner
    written = "".join(f' {key}="{escape(value)}"' for key, value in attributes.items())
    return f"<{tag}{written}>{inner}</{tag}>" if inner else f"<{tag}{written}/>"


def _short(numbers: str) -> str:
    numbers = re.sub(
        r"-?\d+\.\d{2,}", lambda found: f"{float(found[0]):.2f}".rstrip("0").rstrip("."), numbers
    )
    return re.sub(r"\s*\n\s*", " ", numbers).strip()
