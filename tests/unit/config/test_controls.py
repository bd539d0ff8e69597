"""Which design the controls and the assessment of stability use."""

from typing import Any

import pytest
import yaml

from tests.conftest import ROOT
from thyrocast.config.reading import read_study
from thyrocast.config.study import StudyConfig
from thyrocast.errors import InputError


def study(**changes: Any) -> StudyConfig:
    config = yaml.safe_load((ROOT / "config" / "smoke.yaml").read_text(encoding="utf-8"))
    return read_study(config | changes)


def test_the_strongest_evidence_is_used() -> None:
    assert study().controls_design() == "external"
    assert study(controls={"design": "loco"}).controls_design() == "loco"
    assert study(controls={"design": "loco"}).stability_design() == "external"
    assert study(stability={"design": "loco"}).stability_design() == "loco"


def test_an_external_design_without_external_outcomes_is_not_used() -> None:
    config = yaml.safe_load((ROOT / "config" / "smoke.yaml").read_text(encoding="utf-8"))
    centers = config["centers"]
    centers[2]["role"] = "prospective"
    assert study(centers=centers).controls_design() == "loco"
    assert study(centers=centers[:2], designs=["holdout"]).controls_design() == "holdout"


def test_a_design_that_is_not_run_is_refused() -> None:
    with pytest.raises(InputError, match=r"controls\.design: is kfold, which this study does not"):
        study(controls={"design": "kfold"})
    with pytest.raises(InputError, match=r"stability\.design: is kfold, which this study does not"):
        study(stability={"design": "kfold"})
