"""Table of a simulated cohort."""

from thyrocast.contract.names import SimulatedStatus
from thyrocast.contract.table import File, Table, integer, number, text

TRUTH = Table(
    "truth/{center}.csv",
    "Truth about the simulated patients of a center; no rule of a study reads it.",
    (
        text("patient", "Identifier in the clinical table."),
        text("dicom_patient", "Identifier in the DICOM headers."),
        text("status", "Whether the patient is complete, lost to follow-up, or in one source only.",
             SimulatedStatus),
        number("probability", "True probability of cure.", low=0, high=1),
        integer("outcome", "Drawn outcome: 1 cured, 0 not cured.", low=0, high=1),
        number("gland_mass", "Mass of the thyroid gland.", "g"),
        number("uptake", "Fraction of the injected pertechnetate in the gland.", low=0, high=1),
        number("heterogeneity", "From an even gland (0) to a nodular one (1).", low=0, high=1),
        number("activity", "Administered iodine-131 activity.", "MBq"),
    ),
    key=("patient", "dicom_patient"),
    digits=6,
)  # fmt: skip

TABLES = (TRUTH,)
FILES = (
    File("{center}/", "DICOM files and clinical table of a simulated center."),
    File("summary.json", "Discrimination of the true risk, by center and overall."),
    File("logs/", "One log per job."),
)
