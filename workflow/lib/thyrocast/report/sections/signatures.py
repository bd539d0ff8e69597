"""The section on the signature: LASSO path, selected features, optimism."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from thyrocast.pages import numbers
from thyrocast.pages.parts import Cell, Grid, Key, Panel, label
from thyrocast.pages.words import COLUMNS
from thyrocast.report import split_panels, words
from thyrocast.report.figures import training_figures
from thyrocast.report.split_panels import MOST_SPLITS
from thyrocast.report.study import SplitResults, StudyResults

#: Most features that are named in the table.
MOST_NAMED = 5
#: Quantities that are named for a feature.
MOST_RESEMBLED = 3
_SIGNS = (
    Key("cured", "", "a higher value makes cure more likely", shape="square"),
    Key("failed", "", "a higher value makes cure less likely", shape="square"),
)
_MEMBERS = "A member without fold k has a network of its own: its features have no relation to those of others."


@dataclass(frozen=True)
class SignatureSection:
    """LASSO path and importance of the selected features in each split.

    Attributes
    ----------
    paths, features, legend
        Figures, and the legend of the features.
    grid
        Chosen penalty and selected features; None if no signature was fitted.
    resembled
        What the most important features resemble; None if nothing was correlated.
    optimism
        Bootstrap correction of the training results; None if none was asked for.
    note
        How many splits are shown, if not all.
    """

    paths: Sequence[Panel]
    features: Sequence[Panel]
    legend: Sequence[Key]
    grid: Grid | None
    resembled: Grid | None
    optimism: Grid | None
    note: str


def signature_section(study: StudyResults) -> SignatureSection:
    """The signatures of the first splits."""
    splits = [split for split in study.splits if not (split.path.empty and split.features.empty)]
    shown = splits[:MOST_SPLITS]
    rows = [row for split in shown for row in _selected(split)]
    header = ["Split", "Member", "λ", "Features", "Most important"]
    return SignatureSection(
        paths=[_path(split) for split in shown if not split.path.empty],
        features=[_importances(split) for split in shown if not split.features.empty],
        legend=_SIGNS,
        grid=Grid("Features of the signature", header, rows, _MEMBERS) if rows else None,
        resembled=_resembled(shown),
        optimism=_optimism(shown),
        note=split_panels.shown_of(shown, len(splits)),
    )


def _path(split: SplitResults) -> Panel:
    title, name = split_panels.title(split), split_panels.figure_name(split, "lasso")
    return Panel(title, training_figures.lasso(name, title, split.path))


def _importances(split: SplitResults) -> Panel:
    """Features of the first member: those of other members are other features."""
    first = split.features["member"].iloc[0]
    title, name = split_panels.title(split), split_panels.figure_name(split, "features")
    if len(set(split.features["member"])) > 1:
        title = f"{title}, {first}"
    rows = split.features[split.features["member"] == first]
    return Panel(title, training_figures.importances(name, title, rows))


def _selected(split: SplitResults) -> Iterator[list[Cell]]:
    for member in dict.fromkeys((*split.path["member"], *split.features["member"])):
        path = split.path[split.path["member"] == member]
        features = split.features[split.features["member"] == member]
        chosen = path.loc[path["chosen"], "lambda"]
        best = features.sort_values("importance", ascending=False)["feature"].head(MOST_NAMED)
        yield [
            label(split_panels.title(split)),
            label(member),
            Cell(numbers.MISSING if chosen.empty else numbers.significant(chosen.iloc[0], 2)),
            Cell(numbers.count(len(features))),
            label(", ".join(map(str, best)) or "none"),
        ]


def _resembled(splits: Sequence[SplitResults]) -> Grid | None:
    """Quantities most correlated with the most important features of each split's first member."""
    body = []
    for split in splits:
        if split.correlates.empty:
            continue
        first = split.features["member"].iloc[0]
        own = split.features[split.features["member"] == first]
        for feature in own.sort_values("importance", ascending=False)["feature"].head(MOST_NAMED):
            found = split.correlates[
                (split.correlates["member"] == first) & (split.correlates["feature"] == feature)
            ].dropna(subset="correlation")
            strongest = found.reindex(
                found["correlation"].abs().sort_values(ascending=False).index
            ).head(MOST_RESEMBLED)
            names = [
                f"{COLUMNS[row['quantity']]}: {numbers.number(row['correlation'])}"
                for row in strongest.to_dict("records")
            ]
            body.append(
                [
                    label(split_panels.title(split)),
                    label(first),
                    Cell(str(feature)),
                    label("; ".join(names) or "nothing that varies"),
                ]
            )
    header = ["Split", "Member", "Feature", "Strongest rank correlations"]
    note = (
        "Spearman, in the training set; the strongest of many, so chance alone gives some. A feature that "
        "resembles the pixel size or the counts follows the camera or the acquisition. All correlations: "
        "correlates.csv of each split."
    )
    return Grid("What the features resemble", header, body, note) if body else None


def _optimism(splits: Sequence[SplitResults]) -> Grid | None:
    body = [
        [
            label(split_panels.title(split)),
            label(words.metric(row["metric"])),
            Cell(numbers.number(row["apparent"])),
            Cell(numbers.number(row["optimism"])),
            Cell(numbers.number(row["corrected"])),
            Cell(numbers.count(row["resamples"])),
        ]
        for split in splits
        for row in split.optimism.to_dict("records")
    ]
    header = ["Split", "Metric", "Apparent", "Optimism", "Corrected", "Resamples"]
    note = (
        "In the training set: LASSO and forest are fitted again to every bootstrap sample (Harrell). "
        "The correction is too small for forests, because they almost memorize their patients. Test "
        "results are more reliable."
    )
    return Grid("Optimism of the signature", header, body, note) if body else None
