"""What all blocks of a config share; standard library and pydantic only."""

import inspect
import json
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

#: Path of keys from a block to a wrong value, and what is wrong with this value.
Fault = tuple[tuple[str | int, ...], str]


class FaultsError(ValueError):
    """Faults in the combination of a block's values; only validators raise this error.

    Parameters
    ----------
    faults
        For each fault, its path relative to the block, and the text that follows the path in the
        message.
    """

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(text for _, text in faults))
        self.faults = tuple(faults)


class Block(BaseModel):
    """A block of keys; unknown keys are rejected and values cannot be changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @classmethod
    def read(cls, block: Mapping[str, Any]) -> Self:
        """Return the block from plain data, such as the params of a rule, without type conversion.

        JSON mode does not convert between text, numbers and booleans, but reads an enumeration
        from its text and a tuple from a list.

        Raises
        ------
        pydantic.ValidationError
            If a value is not valid. `thyrocast.config.reading` turns it into sentences.
        """
        return cls.model_validate_json(json.dumps(block), strict=True)

    def plain(self) -> dict[str, Any]:
        """Return the block as plain data (dict, list, str, number, bool, None)."""
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
    """Declare a key of a block.

    Parameters
    ----------
    description
        What the key means.
    default
        Its default; a key without one is required.
    unit
        Unit of the value.
    expected
        Description of the text that a pattern accepts.
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
    """Declare a key whose value is a block with defaults only; its docstring describes the key."""
    return Field(default_factory=model, description=summary(model))


def summary(model: type[Block]) -> str:
    """Return the docstring of a block as one line of text."""
    return " ".join(inspect.cleandoc(model.__doc__ or "").split())


def expanded(path: str) -> str:
    """Return a path with the user's home folder in place of ``~``, as Snakemake needs it."""
    return str(Path(path).expanduser()) if path.startswith("~") else path


def ascending(pair: tuple[Any, Any]) -> tuple[Any, Any]:
    """Return a range; reject it if the first number is greater than the second."""
    low, high = pair
    if low > high:
        raise ValueError(f"is a range from {low:g} to {high:g}, expected the smaller number first")
    return pair


def rising(pair: tuple[float, float]) -> tuple[float, float]:
    """Return a range; reject it if the first number is not less than the second."""
    if pair[0] == pair[1]:
        raise ValueError(f"contains {pair[0]:g} twice, expected two different numbers")
    return ascending(pair)


def distinct(values: tuple[Hashable, ...]) -> tuple[Hashable, ...]:
    """Return a list; reject it if it contains a value twice."""
    twice = [value for n, value in enumerate(values) if value in values[:n]]
    if twice:
        shown = twice[0] if isinstance(twice[0], int | float) else repr(str(twice[0]))
        raise ValueError(f"contains {shown} twice, expected each value once")
    return values


def folded_once(fold: Callable[[str], str]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Return a validator that rejects codes with different meanings that differ only in case."""

    def check(codes: dict[str, Any]) -> dict[str, Any]:
        seen: dict[str, str] = {}
        for code, meaning in codes.items():
            first = seen.setdefault(fold(code), code)
            if codes[first] != meaning:
                raise ValueError(
                    f"the codes {first!r} and {code!r} are the same code (case does not matter) "
                    "but have different meanings, expected one meaning"
                )
        return codes

    return check


def same_names(names: Iterable[str], exchanged: Iterable[str] = ()) -> list[Fault]:
    """Return a fault for each center that has the name of an earlier one, ignoring case."""
    faults: list[Fault] = []
    seen: set[str] = set()
    for key, listed in (("centers", names), ("exchanged", exchanged)):
        for n, name in enumerate(listed):
            if name.casefold() in seen:
                text = "two centers have this name (case does not matter): rename one"
                faults.append(((key, n), text))
            seen.add(name.casefold())
    return faults


#: A center's code; YAML reads an unquoted yes or no as true or false.
Code = str | int | bool
#: Path of a file or folder.
FilePath = Annotated[str, AfterValidator(expanded)]
#: Number above 0.
Positive = Annotated[float, Field(gt=0)]
#: Number of at least 0.
NotNegative = Annotated[float, Field(ge=0)]
#: Number between 0 and 1, both excluded.
Share = Annotated[float, Field(gt=0, lt=1)]
#: Range of numbers above 0: smallest and largest.
PositiveRange = Annotated[tuple[Positive, Positive], AfterValidator(ascending)]
#: Range of numbers of at least 0: smallest and largest.
NotNegativeRange = Annotated[tuple[NotNegative, NotNegative], AfterValidator(ascending)]
#: Range of shares: smallest and largest.
ShareRange = Annotated[tuple[Share, Share], AfterValidator(rising)]
#: Validator of a list whose values differ.
Distinct = AfterValidator(distinct)
