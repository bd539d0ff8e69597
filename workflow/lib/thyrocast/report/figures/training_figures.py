"""Figures of training: loss, LASSO path, importance of features, and maps as inline SVG."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator, PercentFormatter

from thyrocast.pages import drawing, numbers, palette
from thyrocast.report import words

#: Markers of a legend's shapes.
MARKERS = {"circle": "o", "triangle": "^", "square": "s"}


def history(name: str, title: str, members: Mapping[str, pd.DataFrame]) -> str:
    """Draw loss by epoch: a thin line for the network of each fold, a thick one for a single network.

    Parameters
    ----------
    name
        Unique on the page.
    title
        The split, for the description.
    members
        history.csv by member.

    Returns
    -------
    str
        Inline SVG.
    """
    with drawing.panel(height=230, width=drawing.NARROW) as (figure, (axes,)):
        alone = len(members) == 1
        for rows in members.values():
            epoch = rows["epoch"].to_numpy(float)
            for column, tone in (("train_loss", "muted"), ("validation_loss", "network")):
                axes.plot(
                    epoch, rows[column].to_numpy(float), color=palette.light(tone),
                    linewidth=2 if alone else 1.2, alpha=1 if alone else 0.6,
                )  # fmt: skip
            best = rows[rows["best"]]
            if not best.empty:
                loss = best["validation_loss"].fillna(best["train_loss"])
                axes.plot(
                    best["epoch"].to_numpy(float)[-1:], loss.to_numpy(float)[-1:],
                    "o", color=palette.light("ink"), markersize=6 if alone else 4,
                )  # fmt: skip
        axes.set(xlabel="Epoch", ylabel="Loss")
        axes.set_xlim(left=1)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=7))
        return drawing.svg(figure, name, f"Training and validation loss by epoch, {title}.")


def lasso(name: str, title: str, path: pd.DataFrame) -> str:
    """Draw the cross-validated deviance along the LASSO path of every member, with the chosen penalty.

    Parameters
    ----------
    name
        Unique on the page.
    title
        The split, for the description.
    path
        A split's path.csv.

    Returns
    -------
    str
        Inline SVG.
    """
    with drawing.panel(height=270, width=drawing.NARROW, ratios=(1, 2.2)) as (
        figure,
        (above, axes),
    ):
        above.sharex(axes)
        alone = len(set(path["member"])) == 1
        for _, rows in path.groupby("member", sort=False):
            _lasso_path(above, axes, rows.sort_values("lambda"), alone)
        above.set(ylabel="Features")
        above.tick_params(labelbottom=False)
        above.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=3))
        axes.set(xscale="log", xlabel="Penalty (λ)", ylabel="Deviance")
        # Plain digits: no text on the page is parsed as mathematics.
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.xaxis.set_minor_locator(NullLocator())
        figure.align_ylabels()
        return drawing.svg(
            figure,
            name,
            f"LASSO path, {title}: number of features and cross-validated deviance by penalty.",
        )


def _lasso_path(above: Axes, axes: Axes, path: pd.DataFrame, alone: bool) -> None:
    """Draw the path of one member; the standard error only if there is no other member."""
    penalty, deviance, error, features = (
        path[column].to_numpy(float) for column in ("lambda", "cv_deviance", "cv_se", "nonzero")
    )
    alpha = 1 if alone else 0.7
    above.step(
        penalty, features, color=palette.light("muted"), where="mid", linewidth=1.4, alpha=alpha
    )
    if alone:
        axes.fill_between(
            penalty, deviance - error, deviance + error,
            color=palette.light("signature"), alpha=0.16, linewidth=0,
        )  # fmt: skip
    axes.plot(penalty, deviance, color=palette.light("signature"), alpha=alpha)
    for chosen in path.loc[path["chosen"], "lambda"].head(1):
        for one in (above, axes):
            one.axvline(chosen, color=palette.light("ink"), linewidth=1.1, dashes=(4, 2))


def importances(name: str, title: str, features: pd.DataFrame, most: int = 20) -> str:
    """Draw the importance of the selected features; color shows the sign of the coefficient.

    Parameters
    ----------
    name
        Unique on the page.
    title
        The split, for the description.
    features
        Rows of features.csv of one member.
    most
        Most features shown.

    Returns
    -------
    str
        Inline SVG.
    """
    shown = features.sort_values("importance", ascending=False).head(most)[::-1]
    with drawing.panel(height=56 + 17 * max(len(shown), 3), width=drawing.NARROW) as (
        figure,
        (axes,),
    ):
        tones = [
            palette.light("cured" if value >= 0 else "failed") for value in shown["coefficient"]
        ]
        axes.barh(np.arange(len(shown)), shown["importance"].to_numpy(float), 0.7, color=tones)
        axes.set_yticks(np.arange(len(shown)), [*shown["feature"].astype(str)], fontsize=9.5)
        axes.tick_params(axis="y", length=0)
        axes.grid(False, axis="y")
        axes.set(xlabel="Importance in the forest", ylim=(-0.7, len(shown) - 0.3))
        return drawing.svg(
            figure,
            name,
            f"Importance of {words.plural(len(features), 'selected feature')}, {title}.",
        )


def attention(
    name: str, rows: pd.DataFrame, groups: Sequence[tuple[pd.DataFrame, str, str]]
) -> str:
    """Draw each map's share inside the gland against its random places.

    Parameters
    ----------
    name
        Unique on the page.
    rows
        Rows of shares.csv whose maps are not empty.
    groups
        The same rows by outcome, each with a color of the palette and a shape.

    Returns
    -------
    str
        Inline SVG.
    """
    with drawing.panel(height=390) as (figure, (axes,)):
        axes.plot([0, 1], [0, 1], color=palette.light("rule"), linewidth=1.2)
        axes.vlines(
            rows["area"], rows["random_low"], rows["random_high"], color=palette.light("rule"),
            linewidth=0.8, alpha=0.6, zorder=1,
        )  # fmt: skip
        for part, tone, shape in groups:
            axes.plot(
                part["area"].to_numpy(float), part["inside"].to_numpy(float), MARKERS[shape],
                color=palette.light(tone), markersize=4.5, alpha=0.65, markeredgewidth=0,
            )  # fmt: skip
        axes.set(
            xlim=(0, max(0.3, float(rows["area"].max()) * 1.2)), ylim=(-0.01, 1.01),
            xlabel="Share of the image that is gland", ylabel="Share of the map inside the gland",
        )  # fmt: skip
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(PercentFormatter(1, 0, " %"))
        return drawing.svg(
            figure,
            name,
            f"Maps of {words.plural(len(rows), 'patient')}: share of the map inside the gland, median "
            f"{numbers.percent(rows['inside'].median())}, against the share of the image that is gland, median "
            f"{numbers.percent(rows['area'].median())}.",
        )
