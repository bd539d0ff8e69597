"""Config of a study: its centers, its designs, and one block for each step."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import model_validator

from thyrocast.config import targets
from thyrocast.config.base import (
    Block,
    Distinct,
    Fault,
    FaultsError,
    FilePath,
    block,
    option,
    same_names,
)
from thyrocast.config.center import CenterConfig
from thyrocast.config.check import CheckConfig
from thyrocast.config.cohort import CohortConfig
from thyrocast.config.controls import ControlsConfig
from thyrocast.config.definition import DefinitionConfig, StudyOutcomeConfig
from thyrocast.config.designs import HoldoutConfig, KfoldConfig, TemporalConfig
from thyrocast.config.evaluation import EvaluationConfig
from thyrocast.config.exchange import ExchangeConfig, ExchangedCenterConfig
from thyrocast.config.explanation import ExplanationConfig
from thyrocast.config.image import ImageConfig
from thyrocast.config.learning_curve import LearningCurveConfig
from thyrocast.config.model_card import ModelCardConfig
from thyrocast.config.network import NetworkConfig
from thyrocast.config.prospective import ProspectiveConfig
from thyrocast.config.report import ReportConfig
from thyrocast.config.signature import Embeddings, SignatureConfig
from thyrocast.config.stability import StabilityConfig
from thyrocast.config.updating import UpdatingConfig
from thyrocast.contract.names import (
    ALL_SPLITS,
    FULL,
    Design,
    OutcomeRule,
    Role,
    fold_member,
)

#: Fewest folds of a training set whose networks can be aligned.
FEWEST_FOLDS = 3


class Outcomes(StrEnum):
    """Whether outcomes are used as observed or are permuted."""

    OBSERVED = "observed"
    SHUFFLED = "shuffled"


class FoldsBy(StrEnum):
    """How a training set is divided into folds."""

    PATIENT = "patient"
    CENTER = "center"


class StudyConfig(Block):
    """The config of a study is one file.

    Paths are relative to the folder in which Snakemake runs. Every key except `study` and
    `centers` has a default.
    """

    study: str = option(
        "Name of the study; its results are written to `results/<study>/`.",
        pattern="^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$",
        expected="1 to 64 letters, digits, underscores and hyphens, a letter or digit first",
    )
    seed: int = option("Seed of every random choice.", 20250, ge=0)
    centers: tuple[CenterConfig, ...] = option(
        "The contributing hospitals, one block each. To add a center, add a block. A center that sent an "
        "exchange file instead of its data has the keys of `exchanged[]`.",
        min_length=1,
    )
    exchanged: tuple[ExchangedCenterConfig, ...] = option(
        "Centers whose results come from an exchange file. They may be listed among `centers` as well: a "
        "block there with the key `exchange` is moved here.",
        (),
    )
    pseudonym_key: str = option(
        "File with the secret from which patients' pseudonyms are computed. Keep it outside the "
        "project; a run creates it, readable for its owner only, if it does not exist.",
        "~/.config/thyrocast/pseudonym.key",
    )
    outcomes: Outcomes = option(
        "`observed`, or `shuffled` for a null run: outcomes are permuted within each center, so "
        "that whatever the models still find is chance or leakage. The report states this.",
        Outcomes.OBSERVED,
    )
    simulation: FilePath | None = option(
        "Summary file of the simulator, for a simulated cohort; the report then gives the "
        "discrimination of the true risk alongside the models'.",
        None,
    )
    designs: Annotated[tuple[Design, ...], Distinct] = option(
        "How patients are divided into training and test: `holdout` (a random part is held out, "
        "stratified by outcome and center), `kfold` (repeated cross-validation: each patient is "
        "held out once per repeat), `loco` (each development center is held out once), `temporal` "
        "(training before a date of therapy, test from it on), `external` "
        "(all development centers against every external one; always run if a center is external "
        "or prospective, or if a model is locked).",
        (Design.HOLDOUT, Design.LOCO, Design.EXTERNAL),
        min_length=1,
    )
    holdout: HoldoutConfig = block(HoldoutConfig)
    kfold: KfoldConfig = block(KfoldConfig)
    temporal: TemporalConfig = block(TemporalConfig)
    folds: int = option(
        "Folds inside each training set, stratified by outcome and center. Each split has a network "
        "and a signature for each fold, trained without it; new patients get the mean of their "
        "predictions. 3 or more, unless `signature.embeddings` is `in_sample`.",
        5,
        unit="folds",
        ge=2,
        le=20,
    )
    folds_by: FoldsBy = option(
        "`patient` (folds are drawn at random, stratified by outcome and center) or `center` (in "
        "`loco` and `external`, each fold consists of whole centers, so that recalibration, threshold "
        "and prediction sets are chosen for centers that a fold's network did not see; needs at least "
        "`folds` centers in each of these training sets). docs/statistics.md compares them.",
        FoldsBy.PATIENT,
    )
    patients_per_job: int = option(
        "Scintigrams that one job standardizes. Any value gives the same images; 1 gives every "
        "patient a separate job.",
        100,
        unit="patients",
        ge=1,
        le=100_000,
    )
    outcome: StudyOutcomeConfig = block(StudyOutcomeConfig)
    model: FilePath | None = option(
        "Locked model that is applied to the centers, none of which may be a development center: its "
        "folder or a zip archive. Nothing is trained; settings of the model, such as those of the image, are its own.",
        None,
        min_length=1,
    )
    lock_model: bool = option(
        "Bundle the model of all development patients for use elsewhere.", True
    )
    model_card: ModelCardConfig = block(ModelCardConfig)
    check: CheckConfig = block(CheckConfig)
    cohort: CohortConfig = block(CohortConfig)
    image: ImageConfig = block(ImageConfig)
    network: NetworkConfig = block(NetworkConfig)
    signature: SignatureConfig = block(SignatureConfig)
    explanation: ExplanationConfig = block(ExplanationConfig)
    evaluation: EvaluationConfig = block(EvaluationConfig)
    exchange: ExchangeConfig = block(ExchangeConfig)
    updating: UpdatingConfig = block(UpdatingConfig)
    prospective: ProspectiveConfig = block(ProspectiveConfig)
    controls: ControlsConfig = block(ControlsConfig)
    stability: StabilityConfig = block(StabilityConfig)
    learning_curve: LearningCurveConfig = block(LearningCurveConfig)
    report: ReportConfig = block(ReportConfig)

    @model_validator(mode="after")
    def _centers_fit_the_designs(self) -> Self:
        names = [center.name for center in self.centers]
        faults = same_names(names, [center.name for center in self.exchanged])
        faults += [*self._design_faults(), *self.network.image_faults(self.image)]
        for number, center in enumerate(self.centers):
            faults += [(("centers", number, *key), text) for key, text in center.picture_faults()]
        if faults:
            raise FaultsError(faults)
        return self

    @model_validator(mode="after")
    def _members_share_patients(self) -> Self:
        if self.folds < FEWEST_FOLDS and self.signature.embeddings is Embeddings.CROSS_FITTED:
            text = (
                f"{self.folds}, expected {FEWEST_FOLDS} or more: networks trained without either of two "
                "folds share no patients, by whom their features could be aligned"
            )
            raise FaultsError([(("folds",), text)])
        return self

    @model_validator(mode="after")
    def _centers_have_the_same_definitions(self) -> Self:
        """Give the study's definitions to its centers; return the study."""
        faults: list[Fault] = []
        centers = list(self.centers)
        expected: list[str] | None = None
        for n, center in enumerate(self.centers):
            rule = center.outcome
            if rule is None or rule.rule is not OutcomeRule.FOLLOWUP:
                continue
            if self.outcome.definition and not rule.definition:
                if rule.states_decision():
                    text = (
                        "states when its outcome is decided, and so does outcome.definition of the "
                        "study, expected one of them"
                    )
                    faults.append((("centers", n, "outcome"), text))
                    continue
                rule = rule.model_copy(update={"definition": self.outcome.definition})
                centers[n] = center.model_copy(update={"outcome": rule})
            names = [one.name for one in rule.definitions()]
            expected = names if expected is None else expected
            if sorted(names) != sorted(expected) or names[0] != expected[0]:
                text = (
                    f"has the definitions {', '.join(names)} (main one first), expected those of "
                    f"the other centers: {', '.join(expected)}"
                )
                faults.append((("centers", n, "outcome", "definition"), text))
        if faults:
            raise FaultsError(faults)
        return (
            self
            if centers == list(self.centers)
            else self.model_copy(update={"centers": tuple(centers)})
        )

    def definitions(self) -> tuple[DefinitionConfig, ...]:
        """Return the definitions of the outcome, the main one first; none if none is decided.

        Centers have definitions of the same names, but may have other windows: these are those of the
        first center whose outcome is decided from follow-up.
        """
        rules = [center.outcome for center in self.centers if center.outcome is not None]
        followed = [rule for rule in rules if rule.rule is OutcomeRule.FOLLOWUP]
        return followed[0].definitions() if followed else ()

    def main_block(self, name: str) -> CenterConfig:
        """Return the block of a center without the definitions that are not the main one.

        Images and models depend on the main definition only: another one must not run them again.
        """
        center = self.center(name)
        if center.outcome is None or not center.outcome.definition:
            return center
        main = center.outcome.definitions()[:1]
        rule = center.outcome.model_copy(update={"definition": main})
        return center.model_copy(update={"outcome": rule})

    def _design_faults(self) -> list[Fault]:
        development = self.names(Role.DEVELOPMENT)
        if self.model is not None and self.learning_curve.run:
            text = "is true, but with a locked model (key model) nothing is trained: remove it"
            return [(("learning_curve", "run"), text)]
        if self.model is not None:
            text = "is development, but with a locked model (key model) nothing is trained"
            return [
                (("centers", n, "role"), text)
                for n, center in enumerate(self.centers)
                if center.role is Role.DEVELOPMENT
            ]
        if not development:
            text = "no center has the role development, expected at least one to train on"
            return [(("centers",), text)]
        chosen = {"controls": self.controls.design, "stability": self.stability.design}
        if wrong := targets.design_faults(chosen, self.splits()):
            return wrong
        if Design.LOCO in self.designs and len(development) < 2:
            text = (
                f"loco holds out one development center, but {development[0]} is the only one: "
                "add a development center or remove loco from the list"
            )
            return [(("designs",), text)]
        return [*self._temporal_faults(), *self._fold_faults(len(development))]

    def _temporal_faults(self) -> list[Fault]:
        dated = [
            center.name
            for center in self.centers
            if center.role is Role.DEVELOPMENT and center.columns.therapy_date
        ]
        if Design.TEMPORAL not in self.designs or dated:
            return []
        text = (
            "temporal needs dates of therapy, but no development center names its column "
            "`therapy_date`: name it or remove temporal from the list"
        )
        return [(("designs",), text)]

    def _fold_faults(self, development: int) -> list[Fault]:
        if self.folds_by is not FoldsBy.CENTER:
            return []
        fewest = development - 1 if Design.LOCO in self.designs else development
        if fewest < max(3, self.folds):
            text = (
                f"is center, but a training set has only {fewest} centers, expected at least "
                f"{max(3, self.folds)} (3, and one for each of the {self.folds} folds): lower `folds`, "
                "or set it to patient"
            )
            return [(("folds_by",), text)]
        return []

    def names(self, *roles: str) -> list[str]:
        """Return the names of the centers in the config's order; only of `roles`, if given."""
        return [c.name for c in self.centers if not roles or c.role in roles]

    def center(self, name: str) -> CenterConfig:
        """Return the block of one center.

        Raises
        ------
        KeyError
            If the study has no center of this name.
        """
        for center in self.centers:
            if center.name == name:
                return center
        raise KeyError(name)

    def splits(self) -> dict[str, list[str]]:
        """Return the splits of every design that is run, by design."""
        known = {
            Design.HOLDOUT: [str(n + 1) for n in range(self.holdout.repeats)],
            Design.KFOLD: [
                f"{repeat + 1}-{part + 1}"
                for repeat in range(self.kfold.repeats)
                for part in range(self.kfold.parts)
            ],
            Design.LOCO: self.names(Role.DEVELOPMENT),
            Design.TEMPORAL: [ALL_SPLITS],
            Design.EXTERNAL: [ALL_SPLITS],
        }
        if self.model is not None:
            return {Design.EXTERNAL.value: [ALL_SPLITS]}
        needed = self.lock_model or bool(self.names(Role.EXTERNAL, Role.PROSPECTIVE))
        wanted = [d for d in known if d in self.designs and d is not Design.EXTERNAL]
        # Plain text: Snakemake passes the names to jobs, which need not import this package.
        return {d.value: known[d] for d in [*wanted, *([Design.EXTERNAL] if needed else [])]}

    def controls_design(self) -> str:
        """Return the design whose splits the controls use."""
        external = bool(self.names(Role.EXTERNAL))
        return targets.strongest(self.controls.design, self.splits(), external)

    def explained_design(self) -> str:
        """Return the design whose models are explained by permutation importance."""
        return targets.strongest(None, self.splits(), bool(self.names(Role.EXTERNAL)))

    def stability_design(self) -> str:
        """Return the design whose models are fitted again to assess their stability."""
        external = bool(self.names(Role.EXTERNAL))
        return targets.strongest(self.stability.design, self.splits(), external)

    def learning_design(self) -> str:
        """Return the design that trains on most patients: external, on all development patients, if run."""
        splits = self.splits()
        if Design.EXTERNAL.value in splits:
            return Design.EXTERNAL.value
        return self.controls_design()

    def members(self) -> list[str]:
        """Return the names of the networks that are trained within each split."""
        if self.model is not None:
            return []
        cross_fitted = self.signature.embeddings is Embeddings.CROSS_FITTED
        return [fold_member(n + 1) for n in range(self.folds)] if cross_fitted else [FULL]
