"""Config of a simulated cohort: its centers and the true risk."""

from typing import Annotated

from pydantic import AfterValidator, Field

from thyrocast.config.base import Block, block, option
from thyrocast.config.simulated_export import HeaderConfig, TableConfig
from thyrocast.config.simulated_scan import (
    CameraConfig,
    CaseMixConfig,
    ExtrasConfig,
    MarkerConfig,
    ScintigraphyConfig,
    TreatmentConfig,
    Years,
)

#: Folders of a cohort that do not belong to a center.
_RESERVED = ("truth", "logs")


def _is_no_folder_of_ours(name: str) -> str:
    if name in _RESERVED:
        raise ValueError(
            f"{name!r} is the name of another folder of the cohort, expected another name"
        )
    return name


CenterName = Annotated[
    str, Field(pattern="^[a-z0-9][a-z0-9_]{0,31}$"), AfterValidator(_is_no_folder_of_ours)
]


class CoefficientsConfig(Block):
    """Change of the logit per unit of each term."""

    gland_mass: float = option("Per doubling of the gland's mass.", -1.9)
    uptake: float = option("Per doubling of the pertechnetate uptake.", -1.4)
    heterogeneity: float = option("From an even gland (0) to a nodular one (1).", -3.0)
    activity: float = option("Per doubling of the administered iodine-131 activity.", 0.8)


class RiskConfig(Block):
    """True risk.

    logit P(cured) = intercept + the sum of each coefficient times its term; all terms are 0 for a
    patient with 40 g, 12 % uptake, heterogeneity 0.4 and 550 MBq.
    """

    intercept: float = option("Logit of the probability of cure if all terms are 0.", 1.0)
    coefficients: CoefficientsConfig = block(CoefficientsConfig)


class SimulatedCenterConfig(Block):
    """A simulated hospital: its patients, its camera, its files."""

    patients: int = option(
        "Patients with a scan, a row in the table and an outcome.",
        unit="patients",
        ge=1,
        le=100_000,
    )
    lost: int = option(
        "Patients lost to follow-up, whose outcome is blank.", 0, unit="patients", ge=0
    )
    table_only: int = option("Patients of the table without a scan.", 0, unit="patients", ge=0)
    dicom_only: int = option(
        "Patients with a scan who are not in the table.", 0, unit="patients", ge=0
    )
    years: Years = option("First and last year of therapies.", (2016, 2022), unit="years")
    case_mix: CaseMixConfig = block(CaseMixConfig)
    treatment: TreatmentConfig = block(TreatmentConfig)
    scintigraphy: ScintigraphyConfig = block(ScintigraphyConfig)
    camera: CameraConfig = option("The gamma camera.")
    header: HeaderConfig = option("What the center's DICOM headers contain.")
    marker: MarkerConfig | None = option(
        "A marker in the scans of the patients of one outcome, to test whether a study finds it.",
        None,
    )
    extras: ExtrasConfig = block(ExtrasConfig)
    table: TableConfig = option("The clinical table.")


class SimulationConfig(Block):
    """A simulated cohort: DICOM files and clinical tables of patients who do not exist.

    `snakemake -s workflow/simulation.smk --configfile config/simulation/demo.yaml --cores 2`
    writes them to `data/<cohort>/`, and the truth about them to `data/<cohort>/truth/`.
    """

    cohort: str = option(
        "Name of the cohort; its files are written to `data/<cohort>/`.",
        pattern="^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$",
        expected="1 to 64 letters, digits, underscores and hyphens, a letter or digit first",
    )
    seed: int = option(
        "Seed of every random choice, with the names of center and patient.", 20250, ge=0
    )
    outcome: RiskConfig = block(RiskConfig)
    centers: dict[CenterName, SimulatedCenterConfig] = option(
        "The hospitals, by name (1 to 32 lower-case letters, digits and underscores). A further "
        "block adds a center; the files of the others do not change and are not written again.",
        min_length=1,
    )
