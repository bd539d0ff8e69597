import re
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from tests.unit.report.example_study import HOSTILE
from thyrocast.contract.names import HEADS, Model
from thyrocast.pages import drawing, palette
from thyrocast.report.figures import forest_figure, performance_figures, training_figures


def curve(size: int = 50) -> pd.DataFrame:
    x = np.linspace(0, 1, size)
    return pd.DataFrame({"fpr": x, "tpr": np.sqrt(x), "tpr_low": x, "tpr_high": np.sqrt(x)})


def forest(center: str = "north") -> str:
    rows = pd.DataFrame(
        {
            "center": [center, "south"],
            "estimate": [0.7, np.nan],
            "ci_low": [0.6, np.nan],
            "ci_high": [0.8, np.nan],
            "n": [50, 9],
            "events": [25, 9],
        }
    )
    pooled = pd.Series(
        {"estimate": 0.7, "ci_low": 0.5, "ci_high": 0.8, "pi_low": np.nan, "pi_high": np.nan}
    )
    return forest_figure.forest("forest", "signature", rows, pooled)


@pytest.fixture(scope="module")
def roc() -> str:
    return performance_figures.roc(
        "roc-1", {"network": [curve()], "signature": [curve()]}, ["signature"], ""
    )


def test_a_drawing_is_markup_with_a_description(roc):
    root = ElementTree.fromstring(roc)  # noqa: S314 - drawn by this project
    assert root.get("role") == "img"
    assert root.get("aria-label", "").startswith("ROC")
    assert "Sensitivity" in [text.text for text in root.iter("text")]


def test_a_drawing_contains_no_address_and_no_color_of_its_own(roc):
    assert "http" not in roc
    assert not re.search(r"#[0-9a-f]{6}", roc)
    assert "var(--signature)" in roc


def test_ids_are_unique_and_all_are_used(roc):
    ids = re.findall(r' id="([^"]+)"', roc)
    assert ids
    assert len(ids) == len(set(ids))
    for one in ids:
        assert one.startswith("roc-1-")
        assert f"#{one}" in roc
    assert set(re.findall(r"#([\w-]+)", roc)) <= set(ids)


def test_the_same_figure_gives_the_same_bytes(roc):
    again = performance_figures.roc(
        "roc-1", {"network": [curve()], "signature": [curve()]}, ["signature"], ""
    )
    assert again == roc


def test_text_from_data_stays_text():
    svg = forest(HOSTILE)
    assert "<img" not in svg
    root = ElementTree.fromstring(svg)  # noqa: S314 - drawn by this project
    shown = "".join(text.text or "" for text in root.iter("text"))
    assert HOSTILE[:10] in shown
    assert HOSTILE in root.get("aria-label", "")


def test_missing_numbers_are_not_drawn():
    svg = forest()
    assert "nan" not in svg.lower()
    assert "A new center" not in svg


def test_long_curves_are_thinned():
    small = performance_figures.roc("r", {"network": [curve(200)]}, [], "")
    large = performance_figures.roc("r", {"network": [curve(20_000)]}, [], "")
    assert len(large) < 1.5 * len(small)


def test_thinning_keeps_both_ends():
    x, y = performance_figures.thin(np.arange(10_000.0), np.arange(10_000.0))
    assert len(x) <= performance_figures.POINTS
    assert (x[0], x[-1]) == (y[0], y[-1]) == (0, 9_999)


def test_penalties_are_written_in_plain_digits():
    path = pd.DataFrame(
        {
            "member": "full",
            "lambda": np.logspace(-3, 0, 20),
            "nonzero": np.arange(20)[::-1],
            "cv_deviance": np.linspace(1.2, 1.4, 20),
            "cv_se": 0.05,
            "chosen": [True] + [False] * 19,
        }
    )
    svg = training_figures.lasso("lasso", "loco, north", path)
    assert "math" not in svg
    assert ">0.01<" in svg


def contrast(one: str, other: str) -> float:
    def luminance(color: str) -> float:
        parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_colors_have_contrast_with_the_background(theme):
    paper = palette.COLORS["paper"][theme]
    for name, tones in palette.COLORS.items():
        if name not in ("paper", "rule", "faint"):
            assert contrast(tones[theme], paper) >= 4.5, name


def test_every_color_of_a_drawing_is_unique():
    tones = [light for light, _ in palette.COLORS.values()]
    assert len(tones) == len(set(tones))


def test_models_differ_in_dashes_and_color_and_others_share_one():
    names = [palette.of_model(model) for model in Model if model not in HEADS]
    assert "other" not in names
    assert len({palette.light(name) for name in names}) == len(names)
    # Without dashes: the two models that a reader looks for first, in the most different colors.
    dashes = {name: tuple(palette.DASHES[name]) for name in names}
    assert len(set(dashes.values())) == len(names) - 1
    assert palette.of_model("a_clinician") == "other"
    assert drawing.WIDTH > drawing.NARROW
