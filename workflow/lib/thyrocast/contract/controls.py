"""Tables of the negative and positive controls."""

from thyrocast.contract.names import Status
from thyrocast.contract.splits import DESIGN, MODEL
from thyrocast.contract.table import Table, integer, number, text

_SPLIT = text("split", "Split of the design; `all`: mean over its splits.")
_STATUS = text("status", "Whether there is a result.", Status)
_NOTE = text("note", "Why there is none, or a remark.")
_N = integer("n", "Test patients with an outcome.", low=0, missing=True)
_EVENTS = integer("events", "Cured patients among them.", low=0, missing=True)


SHUFFLED = Table(
    "controls/shuffled.csv",
    "Each model refitted to permuted training outcomes and scored in the test set with its observed "
    "outcomes. Networks are not trained again, and the AUC is that of the ranking before "
    "recalibration.",
    (
        DESIGN,
        _SPLIT,
        MODEL,
        number("auc", "AUC of the model that was fitted to the observed outcomes.", low=0, high=1, missing=True),
        number("null_mean", "Mean AUC over the permutations.", low=0, high=1, missing=True),
        number("null_low", "Their 2.5th percentile.", low=0, high=1, missing=True),
        number("null_high", "Their 97.5th percentile.", low=0, high=1, missing=True),
        number(
            "p_value",
            "(1 + permutations with at least the observed AUC) / (1 + permutations).",
            low=0,
            high=1,
            missing=True,
        ),
        number(
            "p_value_both",
            "The same, with the outcomes of test patients permuted as well (Ojala and Garriga, JMLR 2010;11:1833).",
            low=0,
            high=1,
            missing=True,
        ),
        integer("permutations", "Number of permutations.", low=0),
        text("strata", "Whether outcomes were permuted within each center or among all patients.", ("center", "none")),
        _STATUS,
        _NOTE,
        _N,
        _EVENTS,
    ),
    key=("design", "split", "model"),
    digits=6,
)  # fmt: skip

PERMUTATIONS = Table(
    "controls/permutations.csv",
    "AUC of every permutation of `controls/shuffled.csv`, over all splits of the design.",
    (
        DESIGN,
        MODEL,
        integer("permutation", "Number of the permutation, from 1.", low=1),
        number("auc", "AUC in the test set; with several splits, the mean.", low=0, high=1),
    ),
    key=("design", "model", "permutation"),
    digits=6,
)

TABLES = (SHUFFLED, PERMUTATIONS)
