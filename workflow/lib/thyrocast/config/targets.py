"""Which design the targets of their own use: controls and stability."""

from collections.abc import Collection, Mapping

from thyrocast.config.base import Fault
from thyrocast.contract.names import STRONGEST_FIRST, Design


def design_faults(chosen: Mapping[str, Design | None], run: Collection[str]) -> list[Fault]:
    """Return the faults of chosen designs, by block, that a study does not run."""
    return [
        (
            (block, "design"),
            f"is {design}, which this study does not run, expected one of {', '.join(run)}",
        )
        for block, design in chosen.items()
        if design is not None and design.value not in run
    ]


def strongest(chosen: Design | None, run: Collection[str], tested: bool) -> str:
    """Return the chosen design, or the strongest that has test patients with an outcome.

    Parameters
    ----------
    chosen
        Design of the block; None: by strength of the evidence.
    run
        Designs that the study runs.
    tested
        Whether a center is external.
    """
    if chosen is not None:
        return chosen.value
    known = [design for design in STRONGEST_FIRST if design.value in run]
    scored = [design for design in known if design is not Design.EXTERNAL or tested]
    return (scored or known)[0].value
