"""Words for columns of the cohort and roles of centers, and words in sentences."""

from collections.abc import Mapping, Sequence

from thyrocast.contract.cohort import ACQUISITION, CLINICAL, QUALITY, QUANTITIES
from thyrocast.contract.names import Model, Role
from thyrocast.contract.readings import READING_SDS, READINGS
from thyrocast.pages.numbers import count

_COLUMN_NAMES = {
    "sex": "Sex",
    "age": "Age",
    "gland_mass": "Gland mass",
    "uptake_24h": "Iodine uptake at 24 h",
    "activity": "Administered I-131",
    "trab": "TRAb",
    "ft4": "Free T4",
    "ft3": "Free T3",
    "antithyroid_drug": "Antithyroid drug before therapy",
    "withdrawal_days": "Drug withdrawn, days before therapy",
    "orbitopathy": "Orbitopathy",
    "smoking": "Smoking",
    "vendor": "Camera vendor",
    "camera": "Camera",
    "collimator": "Collimator",
    "matrix": "Matrix",
    "pixel_mm": "Pixel size",
    "duration_s": "Acquisition time",
    "tc_activity_mbq": "Injected Tc-99m",
    "delay_min": "Injection to image",
    "q_counts": "Counts in the gland",
    "q_rate": "Count rate of the gland",
    "q_uptake": "Tc-99m uptake",
    "q_area_right": "Right lobe area",
    "q_area_left": "Left lobe area",
    "q_mass": "Gland mass on the image",
    "q_asymmetry": "Asymmetry of the lobes",
    "q_heterogeneity": "Heterogeneity",
    "q_to_background": "Gland to background",
    "q_to_salivary": "Gland to salivary glands",
    "q_snr": "Signal to noise",
}
# These names say what is counted, so that a unit would only repeat it.
_WITHOUT_UNIT = ("matrix", "withdrawal_days", "q_counts")
_UNITS = {
    column.name: {"percent": "%", "counts/s": "1/s"}.get(column.unit, column.unit)
    for column in (*CLINICAL, *ACQUISITION, *QUALITY, *QUANTITIES, *READINGS, *READING_SDS)
    if column.unit and column.name not in _WITHOUT_UNIT
}
#: Characteristics in table 1, in its order.
COLUMNS: Mapping[str, str] = {
    name: f"{title}, {_UNITS[name]}" if name in _UNITS else title
    for name, title in _COLUMN_NAMES.items()
}
ROLES: Mapping[str, str] = {
    Role.DEVELOPMENT: "development",
    Role.EXTERNAL: "external validation",
    Role.PROSPECTIVE: "prospective",
}


#: Readings that are predictors, by the network that was trained on simulated scintigrams; they are not in table 1.
_READINGS: Mapping[str, str] = {
    "p_mass": "Gland mass as read",
    "p_uptake": "Tc-99m uptake as read",
    "p_heterogeneity": "Heterogeneity as read",
    "p_contrast": "Gland to body as read",
}

#: Names of models.
MODELS: Mapping[str, str] = {
    Model.NETWORK: "Network",
    Model.SIGNATURE: "Signature",
    Model.SIMULATED: "Pretrained on simulation",
    Model.HANDCRAFTED: "Hand-crafted",
    Model.CLINICAL: "Clinical",
    Model.COMBINED: "Combined",
    Model.DOSE: "Absorbed dose",
    Model.RIDGE: "Ridge on features",
    Model.LASSO: "LASSO on features",
    Model.ELASTIC_NET: "Elastic net on features",
}


def column(name: str) -> str:
    """Name of a column of the cohort, with its unit."""
    if name in _READINGS:
        return f"{_READINGS[name]}, {_UNITS[name]}" if name in _UNITS else _READINGS[name]
    return COLUMNS.get(name, plain(name))


def model(name: str) -> str:
    """Name of a model; external predictions keep their own."""
    return MODELS.get(name, plain(name))


def plain(name: str) -> str:
    """A name of a table or of the config as words."""
    text = name.replace("_", " ").strip()
    return text[:1].upper() + text[1:]


def listing(names: Sequence[str]) -> str:
    """A list in words: ``a, b and c``."""
    names = list(names)
    if len(names) < 2:
        return "".join(names)
    return ", ".join(names[:-1]) + " and " + names[-1]


def plural(size: int, one: str, many: str | None = None) -> str:
    """A number with its noun: ``1 center``, ``3 centers``."""
    return f"{count(size)} {one if size == 1 else many or one + 's'}"
