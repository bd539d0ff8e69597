"""Colors that color-blind readers can distinguish, in a light and a dark tone each.

Figures are drawn in the light tone; on the page every color becomes a CSS variable, so that one
drawing is used in both themes and in print. Models also differ in their dashes.
"""

from collections.abc import Sequence

# name: (light, dark). Hues after Okabe and Ito, darkened for 3:1 contrast on white.
COLORS = {
    "ink": ("#1b2430", "#e8ebf0"),
    "muted": ("#586474", "#a3adbb"),
    "rule": ("#c9d0d9", "#3c4653"),
    "faint": ("#e9edf1", "#28303a"),
    "paper": ("#ffffff", "#171c23"),
    "network": ("#0069a8", "#62b6ec"),
    "signature": ("#c44e00", "#f79555"),
    "handcrafted": ("#007d5b", "#4fc79f"),
    "clinical": ("#a03d7b", "#e59cc8"),
    "combined": ("#5b4bb5", "#a99df5"),
    "simulated": ("#7d1d3f", "#f2a9bd"),
    "dose": ("#5f6b2f", "#b9c98a"),
    "other": ("#7a5c00", "#e0bd4a"),
    "truth": ("#3d3d3d", "#cfcfcf"),
    "cured": ("#00707d", "#55c5d2"),
    "failed": ("#b3452f", "#f0907c"),
    "accent": ("#005f73", "#6cc5d3"),
    "warning": ("#8a4b00", "#ffc46b"),
    "danger": ("#a1162b", "#ff8d9a"),
}
# Dash patterns of matplotlib, in points.
DASHES: dict[str, Sequence[float]] = {
    "network": (),
    "signature": (),
    "handcrafted": (5, 2),
    "clinical": (1.5, 1.8),
    "combined": (6, 2, 1.5, 2),
    "simulated": (8, 2),
    "dose": (1, 1.2, 4, 1.2),
    "other": (3, 1.5),
}


def light(name: str) -> str:
    """The color that figures are drawn in."""
    return COLORS[name][0]


def of_model(model: str) -> str:
    """The palette name of a model; external predictions and the heads, which are not drawn, share one."""
    return model if model in DASHES else "other"


def as_variables(drawing: str) -> str:
    """Replace every color of the palette in a drawing with its CSS variable."""
    for name, (tone, _) in COLORS.items():
        drawing = drawing.replace(tone, f"var(--{name})")
    return drawing


def stylesheet() -> str:
    """Declare the palette: light by default and in print, dark where the reader prefers it."""
    tones = [";".join(f"--{name}:{pair[i]}" for name, pair in COLORS.items()) for i in (0, 1)]
    return (
        f":root{{color-scheme:light dark;{tones[0]}}}"
        f"@media screen and (prefers-color-scheme:dark){{:root{{{tones[1]}}}}}"
    )
