"""On which design's training set the learning curve is measured."""

import pytest
import yaml

from tests.conftest import ROOT
from thyrocast.config.reading import read_study
from thyrocast.errors import InputError


def smoke() -> dict[str, object]:
    """The config of the smoke study."""
    return dict(yaml.safe_load((ROOT / "config" / "smoke.yaml").read_text(encoding="utf-8")))


def test_all_development_patients_are_used_if_a_design_trains_on_them() -> None:
    assert read_study(smoke()).learning_design() == "external"
    centers = smoke()["centers"][:2]
    alone = smoke() | {"centers": centers, "designs": ["holdout"]}
    # The locked model is trained on all development patients, in the design external.
    assert read_study(alone | {"lock_model": True}).learning_design() == "external"
    assert read_study(alone | {"lock_model": False}).learning_design() == "holdout"


def test_nothing_is_learned_with_a_locked_model() -> None:
    centers = [center | {"role": "external"} for center in smoke()["centers"]]
    config = smoke() | {"model": "model.zip", "centers": centers, "designs": ["external"]}
    with pytest.raises(InputError, match=r"learning_curve\.run: is true, but with a locked model"):
        read_study(config | {"learning_curve": {"run": True}})
