"""What all blocks of a config share; standard library and pydantic only."""

import inspect
import json
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

#: Path of keys from a block to the value at fault, and what is wrong with it.
Fault = tuple[tuple[str | int, ...], str]


class FaultsError(ValueError):
    """What is wrong with the combination of a block's values; raised in validators only.

    Parameters
    ----------
    faults
        For each fault its path, relative to the block, and a clause that follows it.
    """

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(text for _, text in faults))
        self.faults = tuple(faults)


class Block(BaseModel):
    """A block of keys: unknown keys are refused, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @classmethod
    def read(cls, block: Mapping[str, Any]) -> Self:
        """The block from plain data, as a rule's params pass it, without any conversion of types.

        JSON mode is strict about text, numbers and truth values, yet reads an enumeration from
        its text and a tuple from a list.

        Raises
        ------
        pydantic.ValidationError
            If a value is not valid. `thyrocast.config.reading` turns it into sentences.
        """
        return cls.model_validate_json(json.dumps(block), strict=True)

    def plain(self) -> dict[str, Any]:
        """The block as plain data (dict, list, text, number, truth value, None)."""
        return self.model_dump(mode="json")


def option(
    description: str,
    default: Any = ...,
    *,
    unit: str | None = None,
    expected: str | None = None,
    formerly: str | None = None,
    **limits: Any,
) -> Any:
    """A key of a block.

    Parameters
    ----------
    description
        What the key means.
    default
        Its default; a key without one is required.
    unit
        Unit of the value.
    expected
        In words, what a pattern accepts.
    formerly
        Name of the key in earlier versions, for the message about it.
    limits
        Bounds (``ge``, ``gt``, ``le``, ``lt``), lengths and pattern as in `pydantic.Field`.
    """
    named = {"unit": unit, "expected": expected, "formerly": formerly}
    extra: JsonDict = {k: v for k, v in named.items() if v}
    text = " ".join(description.split())
    return Field(default, description=text, json_schema_extra=extra or None, **limits)


def block(model: type[Block]) -> Any:
    """A key whose value is a block of keys that all have defaults, described by its docstring."""
    return Field(default_factory=model, description=summary(model))


def summary(model: type[Block]) -> str:
    """The docstring of a block as one line of text."""
    return " ".join(inspect.cleandoc(model.__doc__ or "").split())


def ascending(pair: tuple[Any, Any]) -> tuple[Any, Any]:
    """Refuse a range whose first number is greater than its second."""
    low, high = pair
    if low > high:
        raise ValueError(f"goes from {low:g} to {high:g}, expected the smaller number first")
    return pair


def rising(pair: tuple[float, float]) -> tuple[float, float]:
    """Refuse a range whose first number is not less than its second."""
    if pair[0] == pair[1]:
        raise ValueError(f"contains {pair[0]:g} twice, expected two different numbers")
    return ascending(pair)


def distinct(values: tuple[Hashable, ...]) -> tuple[Hashable, ...]:
    """Refuse a list that contains a value twice."""
    twice = [value for n, value in enumerate(values) if value in values[:n]]
    if twice:
        shown = twice[0] if isinstance(twice[0], int | float) else repr(str(twice[0]))
        raise ValueError(f"contains {shown} twice, expected each value once")
    return values


def folded_once(fold: Callable[[str], str]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """A validator that refuses codes which differ in case only and mean different things."""

    def check(codes: dict[str, Any]) -> dict[str, Any]:
        seen: dict[str, str] = {}
        for code, meaning in codes.items():
            first = seen.setdefault(fold(code), code)
            if codes[first] != meaning:
                raise ValueError(
                    f"the codes {first!r} and {code!r} count as one (case does not matter) and "
                    "mean different things, expected one meaning"
                )
        return codes

    return check


#: Number above 0.
Positive = Annotated[float, Field(gt=0)]
#: Number of at least 0.
NotNegative = Annotated[float, Field(ge=0)]
#: Number between 0 and 1, both excluded.
Share = Annotated[float, Field(gt=0, lt=1)]
#: Range of numbers above 0, from and to.
PositiveRange = Annotated[tuple[Positive, Positive], AfterValidator(ascending)]
#: Range of numbers of at least 0, from and to.
NotNegativeRange = Annotated[tuple[NotNegative, NotNegative], AfterValidator(ascending)]
#: Range of shares, from and to.
ShareRange = Annotated[tuple[Share, Share], AfterValidator(rising)]
#: Validator of a list whose values differ.
Distinct = AfterValidator(distinct)
