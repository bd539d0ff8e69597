"""Architecture and pretraining of the network, and the images that they need."""

from typing import Any

import pytest
from pydantic import ValidationError

from thyrocast.config.image import ImageConfig
from thyrocast.config.network import COMPACT_SIZE, PRETRAINED_FIELD_MM, NetworkConfig
from thyrocast.image import encoder

PRETRAINED = {"architecture": "compact", "pretraining": "simulation"}


def test_the_images_are_those_of_the_encoder() -> None:
    assert COMPACT_SIZE == encoder.SIZE
    assert PRETRAINED_FIELD_MM == encoder.SIZE * encoder.PIXEL_MM


@pytest.mark.parametrize(
    ("network", "image", "key"),
    [
        ({"architecture": "compact"}, {"size": 32}, "size"),
        (PRETRAINED, {"field_mm": 200}, None),
        (PRETRAINED, {"intensity": "activity"}, "intensity"),
        ({"architecture": "compact"}, {"field_mm": 200, "intensity": "activity"}, None),
        (PRETRAINED, {"size": 224}, None),
        ({}, {"size": 32, "field_mm": 200}, None),
    ],
)
def test_images_that_do_not_fit(
    network: dict[str, Any], image: dict[str, Any], key: str | None
) -> None:
    faults = NetworkConfig.read(network).image_faults(ImageConfig.read(image))
    assert [where for where, _ in faults] == ([("image", key)] if key else [])


def test_the_learning_rate_is_that_of_fine_tuning() -> None:
    rates = {"learning_rate": 0.01, "fine_tuning_rate": 0.002}
    assert NetworkConfig.read(rates).highest_rate == 0.01
    assert NetworkConfig.read(PRETRAINED | rates).highest_rate == 0.002


@pytest.mark.parametrize(
    ("network", "image", "needed"),
    [
        ({}, {}, False),
        ({"pretraining": "simulation"}, {}, True),
        (PRETRAINED, {}, False),
        (PRETRAINED, {"field_mm": 200}, True),
        ({"architecture": "compact"}, {"field_mm": 200}, False),
    ],
)
def test_weights_that_are_not_shipped_are_pretrained(
    network: dict[str, Any], image: dict[str, Any], needed: bool
) -> None:
    found = NetworkConfig.read(network).needs_pretraining(ImageConfig.read(image))
    assert found is needed


@pytest.mark.parametrize(
    "given",
    [
        {"pretraining": "simulation", "weights": "a.pth", "sha256": "0" * 64},
        {"architecture": "compact", "weights": "a.pth", "sha256": "0" * 64},
    ],
)
def test_weights_that_no_architecture_has(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="expected"):
        NetworkConfig.read(given)
