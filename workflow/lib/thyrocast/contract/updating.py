"""Tables of updating: how the model changes at external centers, and why it discriminates differently."""

from thyrocast.contract.names import Metric, Status
from thyrocast.contract.site_names import AucPart, UpdateStep
from thyrocast.contract.splits import CENTER, MODEL
from thyrocast.contract.table import Table, flag, integer, number, text

_METRIC = text("metric", "Measure of performance.", Metric)
_LOW = number("ci_low", "Lower confidence limit.", missing=True)
_HIGH = number("ci_high", "Upper confidence limit.", missing=True)
_STATUS = text("status", "Whether there is a result.", Status)
_NOTE = text("note", "Remark on the result, or why there is none.")
_N = integer("n", "Patients.", low=0, missing=True)
_EVENTS = integer("events", "Cured patients.", low=0, missing=True)
_STEP = text(
    "step",
    "`none`, `intercept`, `slope` (with intercept), `head` (slope, intercept and components of the embedding).",
    UpdateStep,
)

UPDATES = Table(
    "updating/updates.csv",
    "Updates of each model at each external center, fitted to all of its patients, and which one closed testing chooses.",
    (
        CENTER,
        MODEL,
        _STEP,
        flag("chosen", "Whether closed testing chooses this update."),
        number("intercept", "Added to the log-odds.", missing=True),
        number("intercept_low", "Lower confidence limit (Wald), not corrected for the choice; empty for `none`.", missing=True),
        number("intercept_high", "Upper confidence limit.", missing=True),
        number("slope", "Factor of the log-odds.", missing=True),
        number("slope_low", "Lower confidence limit (Wald); empty where the slope is not estimated.", missing=True),
        number("slope_high", "Upper confidence limit.", missing=True),
        number("chi2", "Likelihood-ratio statistic of `head` against this update.", low=0, missing=True),
        integer("degrees", "Degrees of freedom of this test.", low=1, missing=True),
        number("p_value", "P value of this test; empty for `head`.", low=0, high=1, missing=True),
        integer("needed", "Patients with whom each test that has to reject for this update has a power of 80 %, if the intercept is off "
                "by 0.5, the slope is 0.7, or one component has an effect of 0.5.", low=1, missing=True),
        _STATUS,
        _NOTE,
        _N,
        _EVENTS,
    ),
    key=("center", "model", "step"),
)  # fmt: skip

UPDATE_PERFORMANCE = Table(
    "updating/update_performance.csv",
    "Performance of each update by cross-validation within the patients of an external center.",
    (
        CENTER,
        MODEL,
        _STEP,
        _METRIC,
        number("estimate", "Estimate, of log-odds that are averaged over the repeats. The AUC after a new intercept is that without update: all patients are moved alike.", missing=True),
        _LOW,
        _HIGH,
        number("difference", "Log loss minus that of the model without update, in the same patients.", missing=True),
        number("difference_low", "Lower confidence limit.", missing=True),
        number("difference_high", "Upper confidence limit.", missing=True),
        _STATUS,
        _NOTE,
    ),
    key=("center", "model", "step", "metric"),
)  # fmt: skip

TRANSPORTABILITY = Table(
    "updating/transportability.csv",
    "Difference in AUC between the cross-fitted development patients and an external center, divided into parts "
    "that add up to it.",
    (
        CENTER,
        MODEL,
        text("part", "The whole `difference`, or the part of `case_mix`, of the `coefficients`, or of the fit at `development`.", AucPart),
        number("estimate", "Difference in AUC.", missing=True),
        number("std_error", "Standard error.", missing=True),
        _LOW,
        _HIGH,
        _STATUS,
        _NOTE,
        integer("n_development", "Development patients.", low=0),
        _N,
    ),
    key=("center", "model", "part"),
)  # fmt: skip

#: What `update_model` writes.
TABLES = (UPDATES, UPDATE_PERFORMANCE, TRANSPORTABILITY)
