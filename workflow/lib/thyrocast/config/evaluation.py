"""Config of the evaluation."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import ConfigDict, Field, field_validator, model_validator

from thyrocast.config.base import (
    Block,
    Distinct,
    Fault,
    FaultsError,
    FilePath,
    ShareRange,
    block,
    option,
)
from thyrocast.contract.names import Model, Strategy, ThresholdRule


class BootstrapInterval(StrEnum):
    """Kind of a bootstrap interval."""

    PERCENTILE = "percentile"
    BCA = "bca"


class FollowUpWeighting(StrEnum):
    """Whether patients with an outcome also stand for those who were lost."""

    NONE = "none"
    INVERSE_PROBABILITY = "inverse_probability"


class SubgroupColumn(StrEnum):
    """Columns of the cohort by which results can be reported separately."""

    SEX = "sex"
    AGE = "age"
    GLAND_MASS = "gland_mass"
    UPTAKE_24H = "uptake_24h"
    ACTIVITY = "activity"
    TRAB = "trab"
    FT4 = "ft4"
    FT3 = "ft3"
    ANTITHYROID_DRUG = "antithyroid_drug"
    WITHDRAWAL_DAYS = "withdrawal_days"
    ORBITOPATHY = "orbitopathy"
    SMOKING = "smoking"
    VENDOR = "vendor"
    CAMERA = "camera"
    COLLIMATOR = "collimator"
    MATRIX = "matrix"
    PIXEL_MM = "pixel_mm"
    DURATION_S = "duration_s"
    TC_ACTIVITY_MBQ = "tc_activity_mbq"
    DELAY_MIN = "delay_min"
    Q_UPTAKE = "q_uptake"
    Q_MASS = "q_mass"
    Q_HETEROGENEITY = "q_heterogeneity"


class ThresholdConfig(Block):
    """The probability of cure from which a patient is called cured.

    A threshold that depends on patients is chosen in the training set of a split and applied to its
    test set. Decisions at Youden's threshold are always reported as well.
    """

    rule: ThresholdRule = option(
        "`net_benefit` (greatest net benefit at the threshold probability `target`, by default "
        "`decision.reference`), `youden` (greatest sensitivity + specificity, as if both errors cost "
        "the same and half of the patients were cured), `sensitivity` or `specificity` (at least "
        "`target`, the other one as great as possible), `cost_ratio` (lowest cost, if calling a "
        "patient cured who is not cured costs `target` times the opposite error) or `fixed` (the "
        "threshold is `target` itself).",
        ThresholdRule.NET_BENEFIT,
    )
    target: float | None = option("Target of the rule; `youden` needs none.", None, ge=0, le=1000)

    @model_validator(mode="after")
    def _target_fits_the_rule(self) -> Self:
        most = 1000 if self.rule is ThresholdRule.COST_RATIO else 1
        optional = self.rule in (ThresholdRule.YOUDEN, ThresholdRule.NET_BENEFIT)
        if (self.target is None and optional) or (self.target is not None and self.target <= most):
            return self
        found = "missing" if self.target is None else f"is {self.target:g}"
        text = f"{found}, expected a number from 0 to {most} for rule {self.rule}"
        raise FaultsError([(("target",), text)])


class DecisionConfig(Block):
    """The decision curve, for the decision to treat with radioiodine now."""

    range: ShareRange = option(
        "Smallest and largest threshold probability of the curve; default as published.", (0.1, 0.9)
    )
    clinical: ShareRange = option(
        "Smallest and largest threshold probability that a clinician might use. Few clinicians "
        "withhold radioiodine from a patient whose probability of cure is 0.8; below 0.5 most "
        "would increase the activity or operate instead. The report marks this part of the curve.",
        (0.5, 0.8),
    )
    step: float = option("Distance between the threshold probabilities.", 0.01, ge=0.001, le=0.1)
    smooth: bool = option("Smooth the curves of the models over the thresholds (loess).", False)
    reference: float = option(
        "Threshold probability at which net benefit is compared between models, centers and "
        "subgroups.",
        0.6,
        gt=0,
        lt=1,
    )


class MinimumCountConfig(Block):
    """Centers, subgroups, splits and test sets with fewer patients than this are not reported.

    Estimates from so few patients are imprecise, and patients might be identified. If a suppressed
    group could be derived from the reported ones, more groups are suppressed, smallest first.
    """

    patients: int = option(
        "Smallest number of patients in a group.", 10, unit="patients", ge=1, le=1000
    )
    outcomes: int = option(
        "Smallest number of cured patients, and of patients not cured, in a group.",
        3,
        unit="patients",
        ge=0,
        le=1000,
    )
    cells: int = option(
        "Smallest count in a cell of the report's tables, such as the patients with a code in table 1 "
        "or with a reason for exclusion; smaller ones are not shown, unless they are 0.",
        5,
        unit="patients",
        ge=1,
        le=1000,
    )


class ExternalPredictionsConfig(Block):
    """A table of probabilities from a clinician or from another group's model."""

    name: str = option(
        "Name of the external predictions in the tables and the report.",
        pattern="^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$",
        expected="1 to 40 letters, digits, underscores and hyphens, a letter or digit first",
    )
    table: FilePath = option(
        "CSV or XLSX file with a column `patient` (pseudonyms, as in the register of each center) and a "
        "column of probabilities of cure from 0 to 1. Patients without a probability are left out."
    )
    column: str = option("Column with the probabilities.", "probability")

    @field_validator("name")
    @classmethod
    def _is_no_name_of_ours(cls, name: str) -> str:
        if name in {*Model, *Strategy}:
            raise ValueError(
                f"{name!r} is the name of one of the study's own models, expected another name"
            )
        return name


class PredictionSetsConfig(Block):
    """Conformal prediction sets: which outcomes cannot be excluded for a patient.

    If both outcomes are possible, the patient is not classified.
    """

    error: float = option(
        "For either outcome, largest acceptable share of the patients with this outcome whose set "
        "does not contain it.",
        0.1,
        gt=0,
        lt=0.5,
    )


class SampleSizeConfig(Block):
    """Targets of the sample size calculation (Riley's criteria)."""

    parameters: int | None = option(
        "Candidate predictor parameters; by default they are counted in the cohort table, for the "
        "baseline with the most. Network and signature choose from many more "
        "features; no criterion says how many patients are enough for them.",
        None,
        ge=1,
        le=10_000,
    )
    auc: float = option(
        "AUC that the model is expected to reach in new patients.", 0.8, gt=0.5, lt=1
    )
    shrinkage: float = option(
        "Least acceptable shrinkage factor of the developed model.", 0.9, gt=0.5, lt=1
    )
    auc_width: float = option(
        "Widest acceptable confidence interval of the AUC in validation.", 0.1, gt=0, le=1
    )
    slope_width: float = option(
        "Widest acceptable confidence interval of the calibration slope in validation.",
        0.4,
        gt=0,
        le=5,
    )
    oe_width: float = option(
        "Widest acceptable confidence interval of observed/expected in validation.",
        0.3,
        gt=0,
        le=5,
    )


Cuts = Annotated[tuple[float, ...], Field(max_length=5), Distinct]
_SUBGROUPS: dict[SubgroupColumn, tuple[float, ...]] = {
    SubgroupColumn.SEX: (),
    SubgroupColumn.AGE: (40.0,),
    SubgroupColumn.GLAND_MASS: (40.0,),
    SubgroupColumn.UPTAKE_24H: (60.0,),
    SubgroupColumn.VENDOR: (),
    SubgroupColumn.COLLIMATOR: (),
}


class EvaluationConfig(Block):
    """How models are scored, compared and pooled over centers."""

    model_config = ConfigDict(
        json_schema_extra={
            "removed": {
                "summaries": "tables of other consortia followed no disclosure rule; ask each center for an "
                "exchange file and list it with the key `exchange` (docs/exchange.md)"
            }
        }
    )

    primary_model: Model = option(
        "The model whose results head the report. Name it before the results are known; if it cannot "
        "be scored, another one heads the report.",
        Model.SIGNATURE,
    )
    resamples: int = option(
        "Bootstrap resamples of every bootstrap interval and ROC band.",
        2000,
        unit="resamples",
        ge=100,
        le=100_000,
    )
    confidence: float = option("Confidence level of all intervals.", 0.95, ge=0.5, le=0.999)
    bootstrap_interval: BootstrapInterval = option(
        "Kind of the bootstrap intervals: `percentile`, or `bca` (bias-corrected and accelerated).",
        BootstrapInterval.PERCENTILE,
    )
    follow_up_weighting: FollowUpWeighting = option(
        "`inverse_probability` adds AUC, Brier score and calibration in the large of test sets in which "
        "each patient has the inverse of the probability of having an outcome as weight. The "
        "probability is a logistic ridge regression on center and clinical columns, fitted to all "
        "eligible patients with a scan (`cohort/follow_up.csv`), in two stages: being seen after the "
        "therapy, and, if the outcome was not settled early, having one at its time. The largest 1 % "
        "of the weights are truncated. Intervals are from a bootstrap that fits this model again. It "
        "corrects for loss that depends on these columns only.",
        FollowUpWeighting.NONE,
    )
    threshold: ThresholdConfig = block(ThresholdConfig)
    decision: DecisionConfig = block(DecisionConfig)
    calibration_groups: int = option(
        "Largest number of groups in the grouped calibration plot; there are fewer if a group "
        "would have fewer patients than `minimum_count.patients`.",
        10,
        unit="groups",
        ge=2,
        le=20,
    )
    minimum_count: MinimumCountConfig = block(MinimumCountConfig)
    subgroups: dict[SubgroupColumn, Cuts] = option(
        "Columns of the cohort by which results are reported separately, each with the values at "
        "which it is cut: `age: [40]` gives patients younger than 40 and patients of 40 and more. "
        "Without values each category is a group. Results are always given by center.",
        _SUBGROUPS,
    )
    external_predictions: tuple[ExternalPredictionsConfig, ...] = option(
        "External predictions (a clinician's reading, another group's model), scored by the same "
        "code as the study's models.",
        (),
        formerly="comparators",
    )
    prediction_sets: PredictionSetsConfig = block(PredictionSetsConfig)
    sample_size: SampleSizeConfig = block(SampleSizeConfig)

    @property
    def thresholds(self) -> list[ThresholdConfig]:
        """The rule of the config with its target, and Youden's if it is another one."""
        chosen = self.threshold
        if chosen.rule is ThresholdRule.NET_BENEFIT and chosen.target is None:
            chosen = ThresholdConfig(rule=chosen.rule, target=self.decision.reference)
        youden = ThresholdConfig(rule=ThresholdRule.YOUDEN)
        return [chosen] if chosen.rule is ThresholdRule.YOUDEN else [chosen, youden]

    @model_validator(mode="after")
    def _external_predictions_have_their_own_names(self) -> Self:
        names = [external.name for external in self.external_predictions]
        faults: list[Fault] = [
            (
                ("external_predictions", n, "name"),
                f"{name!r} is the name of two external predictions: rename one",
            )
            for n, name in enumerate(names)
            if name in names[:n]
        ]
        if faults:
            raise FaultsError(faults)
        return self
