"""The report's figures of what was learned: training, LASSO path, features, attention."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter, PercentFormatter

from thyrocast.report import drawing, palette, words


def history(name: str, title: str, members: Mapping[str, pd.DataFrame]) -> str:
    """Loss by epoch of a split's networks: the full one thick, those of the folds thin.

    Parameters
    ----------
    title
        Of the split, for the description.
    members
        Histories by member.
    """
    with drawing.panel(height=230, width=drawing.NARROW) as (figure, (axes,)):
        for member, rows in sorted(members.items(), key=lambda item: item[0] == "full"):
            full = member == "full"
            epoch = rows["epoch"].to_numpy(float)
            for column, tone in (("train_loss", "muted"), ("validation_loss", "network")):
                axes.plot(
                    epoch, rows[column].to_numpy(float), color=palette.light(tone),
                    linewidth=2 if full else 0.9, alpha=1 if full else 0.45,
                )  # fmt: skip
            best = rows[rows["best"].str.lower().isin(("1", "1.0", "true"))]
            if full and not best.empty:
                loss = best["validation_loss"].fillna(best["train_loss"])
                axes.plot(
                    best["epoch"].to_numpy(float)[-1:], loss.to_numpy(float)[-1:],
                    "o", color=palette.light("ink"), markersize=6,
                )  # fmt: skip
        axes.set(xlabel="Epoch", ylabel="Loss")
        axes.set_xlim(left=1)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=7))
        return drawing.svg(figure, name, f"Training and validation loss by epoch, {title}.")


def lasso(name: str, title: str, path: pd.DataFrame) -> str:
    """Cross-validated deviance along the LASSO path, the chosen strength marked.

    Parameters
    ----------
    title
        Of the split, for the description.
    path
        A split's path.csv.
    """
    path = path.sort_values("lambda")
    strength, deviance, error, kept = (
        path[column].to_numpy(float) for column in ("lambda", "cv_deviance", "cv_se", "nonzero")
    )
    with drawing.panel(height=270, width=drawing.NARROW, ratios=(1, 2.2)) as (
        figure,
        (above, axes),
    ):
        above.sharex(axes)
        above.step(strength, kept, color=palette.light("muted"), where="mid", linewidth=1.4)
        above.set(ylabel="Features")
        above.tick_params(labelbottom=False)
        above.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=3))
        axes.fill_between(
            strength,
            deviance - error,
            deviance + error,
            color=palette.light("signature"),
            alpha=0.16,
            linewidth=0,
        )
        axes.plot(strength, deviance, color=palette.light("signature"))
        axes.set(xscale="log", xlabel="Strength of the penalty (λ)", ylabel="Deviance")
        chosen = path[path["chosen"].str.lower().isin(("1", "1.0", "true"))]
        for row in chosen.head(1).to_dict("records"):
            for one in (above, axes):
                one.axvline(row["lambda"], color=palette.light("ink"), linewidth=1.1, dashes=(4, 2))
        # Powers of ten in plain digits: nothing on the page is read as mathematics.
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
        figure.align_ylabels()
        return drawing.svg(
            figure,
            name,
            f"LASSO path, {title}: number of features and cross-validated deviance by penalty.",
        )


def importances(name: str, title: str, features: pd.DataFrame, most: int = 20) -> str:
    """Importance of the selected features in the forest, the sign of their coefficient by colour.

    Parameters
    ----------
    title
        Of the split, for the description.
    features
        A split's features.csv.
    most
        Features shown.
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


def attention(name: str, rows: pd.DataFrame) -> str:
    """Share of each map's energy inside the gland against the share of the image that is gland.

    Parameters
    ----------
    rows
        Rows of gradcam.csv whose status is ok.
    """
    with drawing.panel(height=390) as (figure, (axes,)):
        axes.plot([0, 1], [0, 1], color=palette.light("rule"), linewidth=1.2)
        for outcome, tone, marker in (
            ("1", "cured", "o"),
            ("0", "failed", "^"),
            ("", "muted", "s"),
        ):
            part = rows[rows["outcome_text"] == outcome]
            axes.plot(
                part["area"].to_numpy(float), part["inside"].to_numpy(float), marker,
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
            f"Grad-CAM of {words.plural(len(rows), 'patient')}: share of the map inside the gland, median "
            f"{words.percent(rows['inside'].median())}, against the share of the image that is gland, median "
            f"{words.percent(rows['area'].median())}.",
        )
