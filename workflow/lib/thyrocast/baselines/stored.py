"""Fitted models as plain JSON: numbers, text and lists, nothing that runs when it is read."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer

_as_list = PlainSerializer(lambda array: array.tolist())


def _array(dimensions: int, dtype: type[np.generic]) -> BeforeValidator:
    def convert(value: Any) -> NDArray[Any]:
        array = np.asarray(value, dtype=dtype)
        if array.ndim != dimensions:
            raise ValueError(f"has {array.ndim} dimensions, expected {dimensions}")
        return array

    return BeforeValidator(convert)


Vector = Annotated[NDArray[np.float64], _array(1, np.float64), _as_list]
Indices = Annotated[NDArray[np.int64], _array(1, np.int64), _as_list]
Matrix = Annotated[NDArray[np.float64], _array(2, np.float64), _as_list]


class StoredModel(BaseModel):
    """A fitted model, or a part of one, that is read from and written to JSON.

    ``model_validate`` builds it from parsed JSON and refuses unknown, missing and non-finite
    values; ``model_dump`` returns values that JSON can represent.
    """

    model_config = ConfigDict(
        arbitrary_types_allowed=True, extra="forbid", frozen=True, allow_inf_nan=False
    )
