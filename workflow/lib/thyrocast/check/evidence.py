"""The evidence for how a column was read, in sentences."""

from thyrocast.contract.documents import ColumnUnderstanding, DateEvidence, NumberEvidence
from thyrocast.contract.names import OrderSource
from thyrocast.pages import numbers, words

_ORDERS = {"dmy": "day, month, year", "mdy": "month, day, year", "ymd": "year, month, day"}
_SOURCES = {
    OrderSource.CONFIG: "the config says so",
    OrderSource.COLUMN: "only this order fits the dates of the column",
    OrderSource.POINTS: "the parts are separated by points",
    OrderSource.OTHER_COLUMNS: "the other dates of the table are in this order",
}


def public(understood: ColumnUnderstanding) -> list[str]:
    """Return sentences that name no row, no cell and no small number."""
    if understood.number:
        return _unit(understood.number)
    return _order(understood.date) if understood.date else []


def private(understood: ColumnUnderstanding) -> list[str]:
    """Return all sentences, for the center itself."""
    found = public(understood)
    if understood.number:
        found += _bounds(understood.number)
    if understood.date and understood.date.first and understood.date.last:
        found.append(f"From {understood.date.first} to {understood.date.last}.")
    return found + [f"{text[:1].upper()}{text[1:]}." for text in understood.warnings]


def _unit(number: NumberEvidence) -> list[str]:
    text = f"Unit: {number.unit}"
    if number.unit != number.our_unit:
        text += f", multiplied by {number.factor:.4g} to give {number.our_unit}"
    if number.header_unit:
        text += f"; the column’s name says {number.header_unit}"
    found = [f"{text}."]
    if number.plausible:
        low, high = number.plausible
        middle = number.quantiles.get("0.5")
        fits = middle is not None and low <= middle <= high
        found.append(
            f"The median is {'within' if fits else 'outside of'} the plausible range, "
            f"{numbers.significant(low)} to {numbers.significant(high)} {number.our_unit}."
        )
    if number.possible_units:
        found.append(f"It would be plausible in {words.listing(number.possible_units)} as well.")
    if number.decimal_mark:
        found.append(f"Decimal mark: “{number.decimal_mark}”")
    return found


def _bounds(number: NumberEvidence) -> list[str]:
    found = []
    for count, word in ((number.below, "below"), (number.above, "above")):
        if count:
            found.append(f"{words.plural(count, 'value')} {word} a limit, read as the limit.")
    return found


def _order(date: DateEvidence) -> list[str]:
    if not date.order or date.order_by is None:
        return ["Dates that need no order, such as 2020-05-31."] if date.first else []
    order = _ORDERS.get(date.order, date.order)
    return [f"Order: {order}; {_SOURCES[date.order_by]}."]


def meaning(key: str, ours: str | None) -> str:
    """Return what a code means in words; a known code without a meaning is "not known"."""
    if ours is None:
        return "not known"
    if key == "columns.outcome" and ours in ("yes", "no"):
        return "cured" if ours == "yes" else "not cured"
    return ours.replace("_", " ")
