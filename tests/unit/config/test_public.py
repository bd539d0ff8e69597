"""What of a config may leave the site: no path of it, as paths contain names of people."""

import json

from tests.unit.planning.test_locked import CENTER
from thyrocast.config.network import NetworkConfig
from thyrocast.config.public import public
from thyrocast.config.reading import read_study

HOME = "/home/jane.doe/thyroid"


def test_no_path_leaves() -> None:
    given = read_study(
        {
            "study": "one",
            "designs": ["holdout"],
            "pseudonym_key": f"{HOME}/key",
            "centers": [
                CENTER
                | {"role": "development", "dicom": f"{HOME}/dicom", "clinical": f"{HOME}/table.csv"}
            ],
            "exchanged": [{"name": "east", "exchange": f"{HOME}/east.json"}],
            "simulation": f"{HOME}/truth.json",
            "network": {
                "weights": f"{HOME}/w.safetensors",
                "sha256": "0" * 64,
                "simulation": {"folder": f"{HOME}/pretrained", "phantoms": 1000},
            },
            "evaluation": {
                "external_predictions": [{"name": "reader", "table": f"{HOME}/reader.csv"}]
            },
        }
    )
    shown = public(given)
    assert "jane" in json.dumps(given.plain())
    assert "jane" not in json.dumps(shown)
    network = NetworkConfig.read(shown["network"])
    assert (network.weights, network.simulation.phantoms) == ("w.safetensors", 1000)
    assert shown["simulation"] == "truth.json"
    assert shown["evaluation"]["external_predictions"][0]["table"] == "reader.csv"
