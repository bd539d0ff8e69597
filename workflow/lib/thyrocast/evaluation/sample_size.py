"""The table `SAMPLE_SIZE`: patients required and patients available."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from thyrocast.baselines import models
from thyrocast.config.evaluation import SampleSizeConfig
from thyrocast.config.signature import SignatureConfig
from thyrocast.contract import io
from thyrocast.contract.evaluation import SAMPLE_SIZE
from thyrocast.contract.names import STRONGEST_FIRST, Design, Role, Set
from thyrocast.statistics import sample_size


@dataclass(frozen=True)
class Available:
    """Patients with a known outcome.

    Attributes
    ----------
    n, events
        Patients, and cured patients among them.
    """

    n: int
    events: int

    @property
    def prevalence(self) -> float:
        """Share of cured patients, at least half a patient from 0 and 1, where formulas fail."""
        half = 0.5 / max(self.n, 1)
        return min(max(self.events / max(self.n, 1), half), 1 - half)


@dataclass(frozen=True)
class Criterion:
    """A criterion with the number of patients that it requires, in words for the note."""

    name: str
    required: int
    note: str


#: Most parameters in the simulations on which the criterion of the prediction error is based.
MOST_SIMULATED = 30


def plan(
    cohort: pd.DataFrame,
    splits: pd.DataFrame,
    config: SampleSizeConfig,
    confidence: float,
    signature: SignatureConfig,
) -> pd.DataFrame:
    """Compare the cohort with Riley's criteria.

    Parameters
    ----------
    cohort
        Table `COHORT`. Patients without an outcome do not count.
    splits
        Table `SPLITS`.
    config
        What the sample size is planned for.
    confidence
        Confidence level of the expected interval of the AUC.
    signature
        How baselines are fitted: their parameters are counted if the config does not state a number.

    Returns
    -------
    DataFrame
        Table `SAMPLE_SIZE`: for development, all development patients; for validation, the patients
        that the strongest design tests, with the expected precision of the AUC. The criteria for
        development are for the baseline with the most parameters: network and
        signature choose from many more features, for which no criterion exists.
    """
    known = cohort[cohort["outcome"].notna()]
    developed = known[known["role"] == Role.DEVELOPMENT]
    development = _available(developed)
    parameters = _parameters(developed, config, signature)
    rows = list(_rows("development", _development(development, config, parameters), development))
    tested = _available(_tested(known, splits))
    if tested.n:
        criteria = _validation(tested, config)
        rows += _rows("validation", criteria, tested)
        rows += _precision(criteria[-1].required, tested, config.auc, confidence)
    return io.build(SAMPLE_SIZE, rows)


def _available(patients: pd.DataFrame) -> Available:
    return Available(len(patients), int((patients["outcome"] == 1).sum()))


def _tested(known: pd.DataFrame, splits: pd.DataFrame) -> pd.DataFrame:
    """Test patients of the strongest design; of several hold-outs, those of the first."""
    for design in STRONGEST_FIRST:
        test = splits[(splits["design"] == design) & (splits["set"] == Set.TEST)]
        if design is Design.HOLDOUT:
            test = test[test["split"].isin(test["split"].iloc[:1])]
        tested = known[known["patient"].isin(test["patient"])]
        if len(tested):
            return tested
    return known.iloc[:0]


@dataclass(frozen=True)
class _Parameters:
    """Candidate parameters: their number, and what has them."""

    count: int
    words: str


def _parameters(
    developed: pd.DataFrame, config: SampleSizeConfig, signature: SignatureConfig
) -> _Parameters:
    if config.parameters is not None:
        return _Parameters(config.parameters, f"{config.parameters} parameters (by the config)")
    model, count = models.most_parameters(developed, signature)
    return _Parameters(max(count, 1), f"{max(count, 1)} parameters (of the model `{model}`)")


def _development(
    available: Available, config: SampleSizeConfig, parameters: _Parameters
) -> list[Criterion]:
    prevalence, k, least = available.prevalence, parameters.count, config.shrinkage
    r2 = sample_size.cox_snell(config.auc, prevalence)
    cured = f"{prevalence:.0%} cured"
    basis = f"{parameters.words}, AUC {config.auc:g} (Cox-Snell R² {r2:.3f}), {cured}"
    beyond = ""
    if k > MOST_SIMULATED:
        beyond = f"; the formula is from simulations of up to {MOST_SIMULATED} parameters"
    return [
        Criterion(
            "shrinkage",
            sample_size.for_shrinkage(k, r2, least),
            f"shrinkage factor of at least {least:g}; {basis}",
        ),
        Criterion(
            "optimism",
            sample_size.for_optimism(k, r2, prevalence),
            f"apparent and adjusted Nagelkerke R² within 0.05; {basis}",
        ),
        Criterion(
            "prevalence",
            sample_size.for_prevalence(prevalence),
            f"overall probability of cure within 0.05; {cured}",
        ),
        Criterion(
            "prediction_error",
            sample_size.for_prediction_error(k, prevalence),
            f"mean absolute error of the probabilities of at most 0.05; {parameters.words}, {cured}{beyond}",
        ),
    ]


def _validation(available: Available, config: SampleSizeConfig) -> list[Criterion]:
    prevalence, auc = available.prevalence, config.auc
    predictor = sample_size.linear_predictor(auc, prevalence)
    basis = f"AUC {auc:g}, {prevalence:.0%} cured"
    return [
        Criterion(
            "oe_ratio",
            sample_size.for_oe(prevalence, config.oe_width),
            f"95 % interval of observed/expected no wider than {config.oe_width:g}; {basis}",
        ),
        Criterion(
            "calibration_slope",
            sample_size.for_slope(predictor, config.slope_width),
            f"95 % interval of the calibration slope no wider than {config.slope_width:g}; {basis}",
        ),
        Criterion(
            "auc",
            sample_size.for_auc(auc, prevalence, config.auc_width),
            f"95 % interval of the AUC no wider than {config.auc_width:g}; {basis}",
        ),
    ]


def _rows(
    purpose: str, criteria: list[Criterion], available: Available
) -> Iterator[dict[str, object]]:
    """One row per criterion, and `all`, the strictest."""
    strictest = max(criteria, key=lambda criterion: criterion.required)
    note = f"greatest of the above: {strictest.name}"
    if purpose == "development":
        note += "; for the baselines: no criterion says that the patients suffice for network and signature"
    whole = Criterion("all", strictest.required, note)
    for criterion in (*criteria, whole):
        yield _row(purpose, criterion, available)


def _precision(
    required: int, available: Available, auc: float, confidence: float
) -> Iterator[dict[str, object]]:
    if not 0 < available.events < available.n:
        return
    width = sample_size.auc_width(auc, available.n, available.prevalence, confidence)
    note = (
        f"with these patients the {confidence:.0%} interval of an AUC of {auc:g} is expected to be "
        f"{width:.2f} wide, about {max(auc - width / 2, 0):.2f} to {min(auc + width / 2, 1):.2f}"
    )
    yield _row("precision", Criterion("auc", required, note), available)


def _row(purpose: str, criterion: Criterion, available: Available) -> dict[str, object]:
    return {
        "purpose": purpose,
        "criterion": criterion.name,
        "required_n": criterion.required,
        "required_events": round(criterion.required * available.prevalence),
        "available_n": available.n,
        "available_events": available.events,
        "sufficient": available.n >= criterion.required,
        "note": criterion.note,
    }
