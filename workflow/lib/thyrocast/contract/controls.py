"""Tables of the negative and positive controls."""

from thyrocast.contract.control_names import (
    Control,
    ControlFinding,
    ControlKind,
    Harmonized,
    ImagePart,
    LeakyTwin,
    ProbeSource,
)
from thyrocast.contract.names import GroupKind, Metric, Status
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
    "outcomes. The embeddings stay as they are, and the AUC is that of the ranking before "
    "recalibration. `network`: the first member's network, trained on permuted outcomes if the config asks for it.",
    (
        DESIGN,
        _SPLIT,
        MODEL,
        number("auc", "AUC of the model that was fitted to the observed outcomes.", low=0, high=1, missing=True),
        number("null_mean", "Mean AUC over the permutations.", low=0, high=1, missing=True),
        number("null_low", "Their 2.5th percentile. Over splits that share patients: mean of the splits' means of their lowest 2.5 %, so that the range is wide enough for any dependence.", low=0, high=1, missing=True),
        number("null_high", "Their 97.5th percentile; over splits that share patients, mean of the means of their highest 2.5 %.", low=0, high=1, missing=True),
        number(
            "p_value",
            "(1 + permutations with at least the observed AUC) / (1 + permutations). Over splits that share "
            "patients: twice the mean of the splits' p values, at most 1.",
            low=0,
            high=1,
            missing=True,
        ),
        number(
            "p_value_both",
            "The same, with the outcomes of test patients permuted as well (Ojala and Garriga, JMLR 2010;11:1833). Over the "
            "splits of `loco`, it is computed from the mean AUC, unless `note` says otherwise.",
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
        number(
            "auc",
            "AUC in the test set; with several splits, the mean, which varies too little if splits share patients.",
            low=0,
            high=1,
        ),
    ),
    key=("design", "model", "permutation"),
    digits=6,
)

_NULL = (
    number("null_mean", "Mean AUC of permuted outcomes.", low=0, high=1, missing=True),
    number("null_low", "Their 2.5th percentile.", low=0, high=1, missing=True),
    number("null_high", "Their 97.5th percentile.", low=0, high=1, missing=True),
)

SOURCES = Table(
    "controls/source_controls.csv",
    "The outcome of development patients predicted from one source alone, by a ridge regression and "
    "cross-validation. Images are 12 x 12 blocks; networks are not used.",
    (
        text("control", "What is learned from.", Control),
        text("kind", "Whether chance is expected, an effect was planted, or neither.", ControlKind),
        text("group_kind", "All patients or one center.", GroupKind),
        text("group", "Center; empty for `pooled`."),
        number("auc", "AUC of the cross-validated predictions.", low=0, high=1, missing=True),
        *_NULL,
        number("p_value", "(1 + permutations with at least the observed AUC) / (1 + permutations).", low=0, high=1, missing=True),
number("p_value_gland", "P value of the difference from `gland_alone` (DeLong, paired), for what is outside of the gland.", low=0, high=1, missing=True),
        text("finding", "`above_chance`: a negative control with p of at most 0.01; `better_than_gland`: a source outside of the gland that predicts better, p at most 0.01; `found`: a planted effect with an AUC of at least 0.9.", ControlFinding),
        integer("permutations", "Number of permutations.", low=0),
        _STATUS,
        _NOTE,
        integer("n", "Patients.", low=0, missing=True),
        _EVENTS,
    ),
    key=("control", "group_kind", "group"),
    digits=6,
)  # fmt: skip

NETWORK_PARTS = Table(
    "controls/network_parts.csv",
    "Networks of the study's architecture that were trained on a part of the images, scored in the test set. "
    "No rows if the config asks for none.",
    (
        DESIGN,
        _SPLIT,
        text("control", "What the networks were trained on; `whole_image`: those of the study.", (Control.WHOLE_IMAGE, *ImagePart)),
        number("auc", "AUC of the mean of the members' log-odds, before recalibration.", low=0, high=1, missing=True),
        number("ci_low", "Lower 95 % limit.", low=0, high=1, missing=True),
        number("ci_high", "Upper 95 % limit.", low=0, high=1, missing=True),
        number("difference", "AUC minus that of `whole_image`.", low=-1, high=1, missing=True),
        number("difference_low", "Lower 95 % limit (DeLong, paired).", missing=True),
        number("difference_high", "Upper 95 % limit.", missing=True),
        number("p_value_gland", "P value of the difference from `gland_alone` (DeLong, paired), for what is outside of the gland.", low=0, high=1, missing=True),
        text("finding", "`better_than_gland`: a part outside of the gland predicts better than the gland, p at most 0.01.", ControlFinding),
        integer("networks", "Networks in each split.", low=1),
        _STATUS,
        _NOTE,
        _N,
        _EVENTS,
    ),
    key=("design", "split", "control"),
    digits=6,
)  # fmt: skip

EMBEDDING_CONTROLS = Table(
    "controls/embedding_controls.csv",
    "Noise in place of embeddings, which must give chance, and embeddings with one feature that shows "
    "the outcome, which must be found.",
    (
        DESIGN,
        text("split", "Split of the design: the one with the most test patients."),
        text("control", "`noise` (ridge) or `planted_feature` (LASSO).", Control),
        text("kind", "Whether chance is expected, or an effect was planted.", ControlKind),
        number("auc", "AUC in the test set; of noise, the mean of the draws.", low=0, high=1, missing=True),
        number("ci_low", "Lower limit of the mean of draws, 99 %.", low=0, high=1, missing=True),
        number("ci_high", "Upper limit of the mean of draws, 99 %.", low=0, high=1, missing=True),
        integer("draws", "Draws of noise.", low=0),
        text("finding", "Noise: `above_chance` if its lower limit is above 0.5; planted: `found` from an AUC of 0.9.", ControlFinding),
        _STATUS,
        _NOTE,
        _N,
        _EVENTS,
    ),
    key=("design", "split", "control"),
    digits=6,
)  # fmt: skip

CENTER_PROBE = Table(
    "controls/center_probe.csv",
    "How well the center of a training patient is predicted, by cross-validation. All patients are "
    "embedded by the same network, that of the first member.",
    (
        text("source", "From what the center is predicted.", ProbeSource),
        text("harmonization", "How centers were made alike before; `none`: not at all; `zscore`: mean and standard deviation of every feature are equal in all centers; `combat`: the same, with those of each center shrunken towards all of its features.", Harmonized),
        integer("centers", "Centers with enough patients.", low=0),
        number("accuracy", "Share of patients whose center is predicted, averaged over centers.", low=0, high=1, missing=True),
        number("ci_low", "Lower 95 % limit, by bootstrap of patients within centers.", low=0, high=1, missing=True),
        number("ci_high", "Upper 95 % limit.", low=0, high=1, missing=True),
        number("chance", "1 / centers.", low=0, high=1, missing=True),
        number("auc", "AUC of each center against the others, averaged.", low=0, high=1, missing=True),
        _STATUS,
        _NOTE,
        integer("n", "Patients.", low=0, missing=True),
    ),
    key=("source", "harmonization"),
    digits=6,
)  # fmt: skip

TWINS = Table(
    "controls/twins.csv",
    "Leaky twins: a small honest analysis of the study's own embeddings (16 features selected by "
    "correlation, logistic regression) and the same with one fault. The AUC of `in_sample` is that of "
    "training patients, every other value is one of the test set.",
    (
        DESIGN,
        text("split", "Split of the design: the one with the most test patients."),
        text("fault", "The fault.", LeakyTwin),
        text("outcomes", "`observed`, or the mean over outcomes that are `permuted` in training and test set.", ("observed", "permuted")),
        text("metric", "AUC, or accuracy of decisions.", Metric),
        number("honest", "Without the fault.", low=0, high=1, missing=True),
        number("faulty", "With the fault.", low=0, high=1, missing=True),
        number("inflation", "Difference.", low=-1, high=1, missing=True),
        number("ci_low", "Lower 95 % limit of the inflation: over patients, or of the mean over permutations.", missing=True),
        number("ci_high", "Upper limit.", missing=True),
        integer("permutations", "Number of permutations.", low=0),
        _STATUS,
        _NOTE,
        integer("n_train", "Training patients.", low=0, missing=True),
        integer("n", "Patients who are scored.", low=0, missing=True),
        _EVENTS,
    ),
    key=("design", "split", "fault", "outcomes"),
    digits=6,
)  # fmt: skip

TABLES = (SHUFFLED, PERMUTATIONS, NETWORK_PARTS, SOURCES, EMBEDDING_CONTROLS, CENTER_PROBE, TWINS)
