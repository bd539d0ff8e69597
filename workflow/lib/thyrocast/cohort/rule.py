"""What a center's outcome rule needs."""

from collections.abc import Mapping, Sequence
from typing import Any

from thyrocast.cohort.codes import fold
from thyrocast.errors import InputError

Settings = Mapping[str, Any]


def columns(center: Settings) -> dict[str, str]:
    """Return the columns that a center's config names, by their keys in it."""
    named = {f"columns.{ours}": theirs for ours, theirs in sorted(center["columns"].items())}
    rule = center.get("outcome") or {}
    for number, visit in enumerate(rule.get("visits", [])):
        named |= {f"outcome.visits[{number}].{k}": v for k, v in visit.items() if k != "months"}
    if rule.get("second_treatment"):
        named["outcome.second_treatment"] = rule["second_treatment"]
    return named


def check_rule(center: Settings) -> None:
    """Raise `InputError` if a center's outcome rule does not have what it needs."""
    where = f"center {center['name']}"
    rule = center.get("outcome")
    if center["role"] == "prospective":
        return
    if not rule:
        raise InputError(
            f"{where}: missing key outcome, expected a rule: add it, or make the center prospective"
        )
    if rule["rule"] == "followup":
        if not rule["visits"]:
            raise InputError(
                f"{where}, key outcome.visits: is empty, expected the columns of at least one visit"
            )
        if "therapy_date" not in center["columns"] and any(
            "months" not in v for v in rule["visits"]
        ):
            raise InputError(
                f"{where}, key columns.therapy_date: missing, expected the date that visits are counted from"
            )
        return
    if "outcome" not in center["columns"]:
        raise InputError(
            f"{where}, key columns.outcome: missing, expected the column of the outcome"
        )
    cured, failed = code_texts(rule["cured"]), code_texts(rule["not_cured"])
    if not cured or not failed:
        raise InputError(
            f"{where}, keys outcome.cured and outcome.not_cured: expected at least one code each"
        )
    if both := sorted(cured & failed):
        raise InputError(
            f"{where}, key outcome: code {both[0]!r} means cured and not cured, expected one of them"
        )


def code_texts(given: Sequence[str | int | bool]) -> set[str]:
    """Return the folded cells that codes of a config stand for."""
    codes: set[str] = set()
    for code in given:
        if isinstance(code, bool):  # YAML reads a bare yes or no as true or false
            codes |= {"true", "yes", "1"} if code else {"false", "no", "0"}
        else:
            codes.add(fold(str(code)))
    return codes
