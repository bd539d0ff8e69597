"""Table of the learning curve."""

from thyrocast.contract.names import Status
from thyrocast.contract.splits import DESIGN, MODEL
from thyrocast.contract.table import Table, integer, number, text

LEARNING_CURVE = Table(
    "learning_curve/learning_curve.csv",
    "AUC of models that were fitted to subsamples of the training patients of one split, by "
    "cross-validation, and extrapolated to more patients. Networks are not trained again: at every "
    "size, they have seen all patients of the other folds.",
    (
        DESIGN,
        text("split", "Split of the design: the one with the most training patients."),
        MODEL,
        text("kind", "Whether the AUC was measured or extrapolated by an inverse power law.", ("measured", "extrapolated")),
        number("share", "Patients as a share of the training patients.", low=0),
        integer("patients", "Training patients of which the models of all folds have a part.", low=0, missing=True),
        number("auc", "Mean AUC over folds and subsamples; extrapolated: median.", low=0, high=1, missing=True),
        number("ci_low", "Lower 95 % limit.", low=0, high=1, missing=True),
        number("ci_high", "Upper 95 % limit.", low=0, high=1, missing=True),
        number("gain", "Difference from the AUC at share 1, extrapolated.", low=-1, high=1, missing=True),
        number("gain_low", "Lower 95 % limit of the gain.", low=-1, high=1, missing=True),
        number("gain_high", "Upper 95 % limit of the gain.", low=-1, high=1, missing=True),
        integer("repeats", "Subsamples of each size.", low=0),
        text("status", "Whether there is a result.", Status),
        text("note", "Why there is none, or a remark."),
        integer("n", "Training patients of the split.", low=0, missing=True),
        integer("events", "Cured patients among them.", low=0, missing=True),
    ),
    key=("design", "split", "model", "share"),
    digits=6,
)  # fmt: skip

TABLES = (LEARNING_CURVE,)
