"""Tables that explain the models; those of the maps are in `splits`."""

from enum import StrEnum

from thyrocast.contract.names import Status
from thyrocast.contract.splits import DESIGN, MODEL
from thyrocast.contract.table import Table, integer, number, text


class Permuted(StrEnum):
    """What is permuted together."""

    PREDICTOR = "predictor"
    CORRELATED = "correlated"
    PART = "part"
    ALL = "all"


IMPORTANCE = Table(
    "explanation/{design}/importance.csv",
    "Permutation importance in the test patients of a design: what is lost if a predictor comes from other "
    "patients. A derived predictor follows the columns that it is computed from. The features of a signature "
    "exist within one member, and are permuted in the predictions of this member. The models are fixed: intervals "
    "contain the sampling of test patients only. No rows if it is not requested.",
    (
        DESIGN,
        text("split", "Split of the design; `all`: mean over its splits."),
        MODEL,
        text("member", "Member of a signature; empty for the model as it predicts."),
        text(
            "kind",
            "One predictor; strongly `correlated` ones together (rank correlation of 0.8 or more among the test patients, "
            "directly or through others); a `part` of `combined`; or `all` features of the image in all members.",
            Permuted,
        ),
        text("predictor", "Column of the cohort, index of a feature, log-odds of a model (`network_logit`), or part; of `correlated` ones, the first."),
        integer("predictors", "Number of predictors that are permuted together.", low=0),
        text("connected", "The row of `correlated` predictors to which it belongs; empty if there is none."),
        number("auc", "AUC without permutation.", low=0, high=1, missing=True),
        number("auc_loss", "AUC minus that with permuted values, mean over the permutations.", missing=True),
        number("auc_low", "Lower confidence limit.", missing=True),
        number("auc_high", "Upper confidence limit.", missing=True),
        number("brier_loss", "Brier score with permuted values minus that without.", missing=True),
        number("brier_low", "Lower confidence limit.", missing=True),
        number("brier_high", "Upper confidence limit.", missing=True),
        integer("permutations", "Permutations, in each of which every patient has the values of another one.", low=0),
        text("status", "Whether there is a result.", Status),
        text("note", "Why there is none."),
        integer("n", "Test patients with an outcome.", low=0, missing=True),
        integer("events", "Cured patients among them.", low=0, missing=True),
    ),
    key=("design", "split", "model", "member", "kind", "predictor"),
    digits=6,
)  # fmt: skip

TABLES = (IMPORTANCE,)
