"""Negative and positive controls: what was found where nothing, or a known effect, is."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from thyrocast.config.controls import Strata
from thyrocast.contract.controls import (
    CENTER_PROBE,
    EMBEDDING_CONTROLS,
    NETWORK_PARTS,
    SHUFFLED,
    SOURCES,
    TWINS,
)
from thyrocast.contract.names import ALL_SPLITS, GroupKind, Model, Status
from thyrocast.pages import drawing, numbers, palette
from thyrocast.pages.parts import Cell, Grid, Panel, label, sizes
from thyrocast.report import words
from thyrocast.report.grids import control_grids
from thyrocast.report.study import StudyResults

#: Id and title of the section.
SECTION = ("controls", "Negative and positive controls")
#: If p cannot be at most this with so few permutations, the report says so.
LEAST_P = 0.05


@dataclass(frozen=True)
class ControlsSection:
    """The controls of a study.

    Attributes
    ----------
    design
        The design whose splits were used, in words.
    permuted
        How outcomes were permuted, in a sentence.
    panels
        Observed AUCs and those of permuted outcomes.
    shuffled
        The same as a table, with p values.
    trained
        Whether networks were trained on permuted outcomes.
    networks
        What networks predict that were trained on parts of the images; None if none were.
    sources, by_center
        What parts of the image and the acquisition predict, in all patients and by center.
    alarms
        Sentences about what should not have been found, or was not found; or that there is nothing of the kind.
    planted
        Noise in place of embeddings, and planted effects.
    probe
        How well the center is predicted.
    twins
        How much each fault inflates the result.
    noise_auc
        AUC that selection before the division gives without any signal, in words; empty if unknown.
    """

    design: str
    permuted: str
    panels: Sequence[Panel]
    shuffled: Grid
    trained: bool
    networks: Grid | None
    sources: Grid
    by_center: Grid
    alarms: Sequence[str]
    planted: Grid
    probe: Grid
    twins: Grid
    noise_auc: str


def controls_section(study: StudyResults) -> ControlsSection | None:
    """The section about controls; None if none were run."""
    table = study.tables.get(SHUFFLED.name)
    if table is None or table.empty:
        return None
    design = str(table["design"].iloc[0])
    rows = _overall(table)
    within = " within each center" if (rows["strata"] == Strata.CENTER).all() else ""
    heads = rows[rows["model"] != Model.NETWORK]
    permuted = (
        f"The outcomes of training patients were permuted {numbers.count(heads['permutations'].max())} "
        f"times{within}. Each model was fitted again to every permutation, as it is fitted to the "
        "observed outcomes, and scored in the test set."
    )
    network = rows[rows["model"] == Model.NETWORK]
    if len(network):
        times = int(network["permutations"].iloc[0])
        permuted += (
            f" The network of the first member was trained on {numbers.count(times)} of these permutations, and is compared "
            "with the same network trained on the observed outcomes."
        )
        # Over several splits, p is twice the mean of theirs.
        least = min((2 if _has_several_splits(table) else 1) / (1 + times), 1.0)
        if least > LEAST_P:
            permuted += (
                f" With so few, its p cannot be below {numbers.number(least)}; look at the AUCs instead."
            )  # fmt: skip
    sources = study.tables[SOURCES.name]
    embedded = study.tables[EMBEDDING_CONTROLS.name]
    twins = study.tables[TWINS.name]
    pooled = sources["group_kind"] == GroupKind.POOLED
    return ControlsSection(
        design=words.design(design),
        permuted=permuted,
        panels=_panels(rows, several=_has_several_splits(table)),
        shuffled=_shuffled(rows),
        trained=not network.empty,
        networks=control_grids.networks(study.tables[NETWORK_PARTS.name]),
        sources=control_grids.sources(sources[pooled]),
        by_center=control_grids.by_center(sources[~pooled]),
        alarms=sentences(sources, embedded, study.tables[NETWORK_PARTS.name]),
        planted=control_grids.planted(sources, embedded),
        probe=control_grids.probe(study.tables[CENTER_PROBE.name]),
        twins=control_grids.twins(twins),
        noise_auc=control_grids.noise_auc(twins),
    )


def sentences(*tables: pd.DataFrame) -> list[str]:
    """Sentences about alarms, or how many controls raised none.

    Parameters
    ----------
    tables
        Tables of `contract.controls` with findings.
    """
    found = control_grids.alarms(*tables)
    if found:
        return found
    count = control_grids.checked(*tables)
    if not count:
        return ["No control had enough patients to raise an alarm."]
    return [
        f"None of {numbers.count(count)} controls with a result raised an alarm. Effects that are too small for "
        "these numbers of patients would not be noticed."
    ]


def _has_several_splits(table: pd.DataFrame) -> bool:
    return len(table["split"].unique()) > 1


def _overall(table: pd.DataFrame) -> pd.DataFrame:
    """Rows over all splits, or of the only one."""
    if (table["split"] == ALL_SPLITS).any():
        return table[table["split"] == ALL_SPLITS]
    return table


def _shuffled(rows: pd.DataFrame) -> Grid:
    return Grid(
        "Shuffled outcomes (test)",
        ["Model", "AUC", "AUC after permutation", "p", "p, test outcomes permuted too", "Patients"],
        [
            [
                label(
                    words.model(row["model"]),
                    f"first member, {words.plural(int(row['permutations']), 'training')}"
                    if row["model"] == Model.NETWORK
                    else "",
                ),
                Cell(
                    numbers.number(row["auc"]),
                    "" if row["status"] == Status.ESTIMATED else row["note"],
                ),
                Cell(
                    numbers.number(row["null_mean"]),
                    _range(row),
                ),
                Cell(numbers.p_value(row["p_value"])),
                Cell(numbers.p_value(row["p_value_both"])),
                sizes(row),
            ]
            for row in rows.to_dict("records")
        ],
        "AUC of one fit to all training patients, before recalibration: it can differ from that of the mean "
        "of the members, which the report shows elsewhere. That of a network is the first member’s, which was trained "
        "without one fold. After permutation: mean, and the range of the middle "
        "95 %; where centers differ in their cure rate, it may be above 0.5. p: share of permutations "
        "with at least the observed AUC, the observed one included: does it matter which training patients were cured? "
        "With test outcomes permuted too: is anything in the predictors associated with the outcome? Where splits share patients (cross-validation, "
        "centers that are left out in turn), their AUCs depend on each other. The range is then the mean of the splits’ means of the "
        "lowest and of the highest 2.5 %, and p twice the mean of the splits’ p values: both are valid for any dependence, "
        "and conservative. If centers are left out in "
        "turn, the second p is that of the mean AUC for all models but the network: a center has the same permutations in all "
        "splits.",
    )


def _range(row: Mapping[Hashable, Any]) -> str:
    """The middle 95 % of the permutations; empty if there is one only."""
    return (
        numbers.interval(row["null_low"], row["null_high"]) if int(row["permutations"]) > 1 else ""
    )


def _panels(rows: pd.DataFrame, *, several: bool) -> list[Panel]:
    found = rows[rows["status"] == Status.ESTIMATED].to_dict("records")
    if not found:
        return []
    with drawing.panel(height=60 + 30 * len(found), left=130) as (figure, (axes,)):
        for place, row in enumerate(reversed(found)):
            axes.plot(
                [row["null_low"], row["null_high"]], [place, place],
                color=palette.light("muted"), linewidth=6, alpha=0.4,
            )  # fmt: skip
            axes.plot(row["null_mean"], place, "|", color=palette.light("muted"), markersize=12)
            axes.plot(row["auc"], place, "o", color=palette.light("ink"), markersize=6)
        axes.set_yticks(range(len(found)), [words.model(row["model"]) for row in reversed(found)])
        axes.set_ylim(-0.6, len(found) - 0.4)
        axes.set(xlabel="AUC", xlim=(0, 1))
        text = "; ".join(
            f"{words.model(row['model'])} {numbers.number(row['auc'])}, after permutation "
            f"{_range(row) or numbers.number(row['null_mean'])}"
            for row in found
        )
        svg = drawing.svg(figure, "controls-shuffled", f"AUC and AUC after permutation: {text}.")
    note = "Dot: observed outcomes. Bar: the middle 95 % of permutations, with their mean."
    if several:
        note += (
            " Where splits share patients, the bar is wider: the mean of the splits’ means of the lowest and of "
            "the highest 2.5 %."
        )
    return [Panel("Observed and permuted outcomes", svg, note=note)]
