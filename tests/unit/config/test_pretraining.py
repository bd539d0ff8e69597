"""Config of the pretraining."""

import pytest
import yaml

from tests.conftest import ROOT
from thyrocast.config.reading import read_study
from thyrocast.errors import InputError


def test_a_pretraining_without_a_step_is_refused() -> None:
    """Otherwise random weights would be saved as those of a pretrained network."""
    config = yaml.safe_load((ROOT / "config" / "smoke.yaml").read_text(encoding="utf-8"))
    config["network"]["simulation"] = {"phantoms": 63}
    message = r"network.simulation.phantoms.* 63, expected at least batch_size \(64\)"
    with pytest.raises(InputError, match=message):
        read_study(config)
    config["network"]["simulation"] = {"phantoms": 64}
    assert read_study(config).network.simulation.phantoms == 64
