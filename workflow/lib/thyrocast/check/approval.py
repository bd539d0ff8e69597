"""Whether training may begin: only if every center is ready, or if the config says so."""

import logging
from collections.abc import Sequence

from thyrocast.config.check import NotReady
from thyrocast.contract import files
from thyrocast.contract.check import Approval, CenterCheck, Severity, Verdict
from thyrocast.errors import InputError

LOG = logging.getLogger("thyrocast")


def approve(checks: Sequence[CenterCheck], not_ready: NotReady, study: str) -> Approval:
    """Return the verdicts of all centers.

    Parameters
    ----------
    checks
        The check of each center, in the order of the config.
    not_ready
        Whether a center that is not ready stops the study.
    study
        Name of the study, for the path of the page.

    Raises
    ------
    InputError
        If a center is not ready and this stops the study; names each such center, its page and what
        to do first.
    """
    faults = [_fault(check, study) for check in checks if check.verdict is Verdict.NOT_READY]
    if faults and not_ready is NotReady.STOP:
        end = "correct this, or set check.not_ready: continue to train nevertheless"
        raise InputError("; ".join(faults) + f": {end}")
    for fault in faults:
        LOG.warning("%s; the study continues, as configured in check.not_ready", fault)
    for check in checks:
        LOG.info("center %s: %s", check.center, check.verdict.replace("_", " "))
    return Approval(
        contract=files.VERSION, verdicts={check.center: check.verdict for check in checks}
    )


def _fault(check: CenterCheck, study: str) -> str:
    first = next(remark for remark in check.remarks if remark.severity is Severity.BLOCKER)
    page = f".thyrocast/{study}/{check.center}/check.html"
    return f"center {check.center} is not ready: {first.text} {first.action} Everything else is in {page}"
