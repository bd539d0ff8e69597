"""Config of a study: its centers, its designs, and one block for each step."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Self

from pydantic import model_validator

from thyrocast.config.base import Block, Distinct, Fault, FaultsError, block, option
from thyrocast.config.center import CenterConfig
from thyrocast.config.check import CheckConfig
from thyrocast.config.cohort import CohortConfig
from thyrocast.config.evaluation import EvaluationConfig
from thyrocast.config.explanation import ExplanationConfig
from thyrocast.config.image import ImageConfig
from thyrocast.config.network import NetworkConfig
from thyrocast.config.report import ReportConfig
from thyrocast.config.signature import Embeddings, SignatureConfig
from thyrocast.contract.names import ALL_SPLITS, Design, Role


class Outcomes(StrEnum):
    """Whether outcomes are used as observed or are permuted."""

    OBSERVED = "observed"
    SHUFFLED = "shuffled"


class HoldoutConfig(Block):
    """The holdout design."""

    test_fraction: float = option("Share of the patients in the test set.", 0.2, gt=0, lt=1)
    repeats: int = option("How many times the division is drawn.", 1, ge=1, le=1000)


class KfoldConfig(Block):
    """The kfold design.

    Every part of every repeat is the test set of a split with its own networks; all tuning is
    done inside the other parts.
    """

    parts: int = option(
        "Number of parts into which the patients are divided, stratified by outcome and center.",
        5,
        ge=2,
        le=20,
    )
    repeats: int = option("How many times the division is drawn.", 5, ge=1, le=100)


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
        "The contributing hospitals, one block each. To add a center, add a block.", min_length=1
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
    simulation: str | None = option(
        "Summary file of the simulator, for a simulated cohort; the report then gives the "
        "discrimination of the true risk alongside the models'.",
        None,
    )
    designs: Annotated[tuple[Design, ...], Distinct] = option(
        "How patients are divided into training and test: `holdout` (a random part is held out, "
        "stratified by outcome and center), `kfold` (repeated cross-validation: each patient is "
        "held out once per repeat), `loco` (each development center is held out once), `external` "
        "(all development centers against every external one; always run if a center is external "
        "or prospective, or if a model is locked).",
        (Design.HOLDOUT, Design.LOCO, Design.EXTERNAL),
        min_length=1,
    )
    holdout: HoldoutConfig = block(HoldoutConfig)
    kfold: KfoldConfig = block(KfoldConfig)
    folds: int = option(
        "Folds inside each training set, stratified by outcome and center, for cross-fitting and "
        "cross-validation.",
        5,
        unit="folds",
        ge=2,
        le=20,
    )
    patients_per_job: int = option(
        "Scintigrams that one job standardizes. Any value gives the same images; 1 gives every "
        "patient a separate job.",
        100,
        unit="patients",
        ge=1,
        le=100_000,
    )
    lock_model: bool = option(
        "Bundle the model of all development patients for use elsewhere.", True
    )
    check: CheckConfig = block(CheckConfig)
    cohort: CohortConfig = block(CohortConfig)
    image: ImageConfig = block(ImageConfig)
    network: NetworkConfig = block(NetworkConfig)
    signature: SignatureConfig = block(SignatureConfig)
    explanation: ExplanationConfig = block(ExplanationConfig)
    evaluation: EvaluationConfig = block(EvaluationConfig)
    report: ReportConfig = block(ReportConfig)

    @model_validator(mode="after")
    def _centers_fit_the_designs(self) -> Self:
        faults = same_names(center.name for center in self.centers) + self._design_faults()
        for number, center in enumerate(self.centers):
            faults += [(("centers", number, *key), text) for key, text in center.picture_faults()]
        if faults:
            raise FaultsError(faults)
        return self

    def _design_faults(self) -> list[Fault]:
        development = self.names(Role.DEVELOPMENT)
        if not development:
            text = "no center has the role development, expected at least one to train on"
            return [(("centers",), text)]
        if Design.LOCO in self.designs and len(development) < 2:
            text = (
                f"loco holds out one development center, but {development[0]} is the only one: "
                "add a development center or remove loco from the list"
            )
            return [(("designs",), text)]
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
            Design.EXTERNAL: [ALL_SPLITS],
        }
        needed = self.lock_model or bool(self.names(Role.EXTERNAL, Role.PROSPECTIVE))
        wanted = [d for d in known if d in self.designs and d is not Design.EXTERNAL]
        # Plain text: Snakemake passes the names to jobs, which need not import this package.
        return {d.value: known[d] for d in [*wanted, *([Design.EXTERNAL] if needed else [])]}

    def members(self) -> list[str]:
        """Return the names of the networks that are trained within each split."""
        cross_fitted = self.signature.embeddings is Embeddings.CROSS_FITTED
        return ["full", *(f"fold-{n + 1}" for n in range(self.folds) if cross_fitted)]


def same_names(names: Iterable[str]) -> list[Fault]:
    """Return a fault for each center that has the name of an earlier one, ignoring case."""
    faults: list[Fault] = []
    seen: set[str] = set()
    for n, name in enumerate(names):
        if name.casefold() in seen:
            text = "two centers have this name (case does not matter): rename one"
            faults.append((("centers", n), text))
        seen.add(name.casefold())
    return faults
