"""The part of the methods section on explanations: maps, deletion and insertion, permutation importance."""

from thyrocast.config.explanation import LEAST_GRID, CamMethod
from thyrocast.contract.explanation import IMPORTANCE
from thyrocast.report.study import StudyResults


def attention(study: StudyResults) -> str:
    """Maps, curves along them, and permutation importance, as far as this study has them."""
    return f"{_maps(study)}{_curves(study)}{_importance(study)}"


def _maps(study: StudyResults) -> str:
    settings = study.config.explanation
    seen = study.config.image.size, study.config.network.architecture
    side = settings.grid_at(*seen)
    name, source = {
        CamMethod.GRADCAM: ("Grad-CAM", "selvaraju2017"),
        CamMethod.HIRESCAM: ("HiResCAM", "draelos2020"),
        CamMethod.GRADCAM_PLUS_PLUS: ("Grad-CAM++", "chattopadhyay2018"),
    }[settings.method]
    text = (
        f"{name} [@{source}] of {settings.layer_at(*seen)} ({side} × {side} cells) is computed for every test "
        "patient, as a mean over the members."
    )
    if side < LEAST_GRID:
        return f"{text} No share inside the gland is given for maps below {LEAST_GRID} × {LEAST_GRID} cells."
    random = f" Maps of {settings.randomized} test patients are repeated with random weights [@adebayo2018]."
    return (
        f"{text} The share of the map’s sum inside the gland is compared with that of the same map at every "
        "place of its grid, in eight orientations, and with that of other patients’ maps in the same gland."
    ) + (random if settings.randomized else "")


def _curves(study: StudyResults) -> str:
    if all(found.curves.empty for found in study.maps.values()):
        return ""
    return (
        " Along deletion and insertion curves [@petsiuk2018], the pixels that a map marks first are removed from the image or "
        "inserted into a blurred one, compared with the same map at random places."
    )


def _importance(study: StudyResults) -> str:
    table = study.tables.get(IMPORTANCE.name)
    if table is None or table.empty:
        return ""
    return (
        " The importance of a predictor is what the AUC loses in test patients if its values are permuted between them "
        "[@breiman2001, @fisher2019]."
    )
