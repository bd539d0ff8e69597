"""The manifest of a locked model."""

from typing import Annotated, Literal

from pydantic import Field, JsonValue

from thyrocast.contract.documents import Count, Document, ThisContract
from thyrocast.contract.names import Model
from thyrocast.contract.site_names import UpdateStep

#: Version of the locked model's layout.
FORMAT: Literal[1] = 1
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class BundledFile(Document):
    """A file of a locked model: its SHA-256 and its size in bytes."""

    sha256: Sha256
    bytes: Count


class TrainingPatients(Document):
    """Patients of one center that a locked model learned from; None for a number too small to show."""

    patients: Count | None
    cured: Count | None


class Preprocessing(Document):
    """How images have to be standardized for a locked model.

    Attributes
    ----------
    image
        The config's block ``image``.
    gland_network
        SHA-256 of the weights of the network that finds the gland.
    encoder
        SHA-256 of the weights of the network that reads quantities from the image.
    code
        Hash of the code that standardized the training images (`planning.fingerprints`).
    """

    image: dict[str, JsonValue]
    gland_network: Sha256
    encoder: Sha256
    code: str


class ModelUpdate(Document):
    """Update of one model: log-odds become intercept + slope x log-odds + coefficients · components.

    Attributes
    ----------
    step
        What was fitted.
    intercept, slope
        Of the parent's log-odds.
    coefficients
        Of the first components of the embedding (`domain.safetensors`); none but for ``head``.
    """

    step: UpdateStep
    intercept: float
    slope: float
    coefficients: list[float]


class Update(Document):
    """How a locked model differs from its parent.

    Attributes
    ----------
    center
        The center to whose patients it was fitted.
    patients, cured
        How many they are.
    level
        Level of the closed testing procedure that chose.
    member
        The network whose embedding has the components.
    models
        Updates by model; models that are not named predict as in the parent.
    """

    center: Annotated[str, Field(pattern="^[a-z0-9][a-z0-9_]{0,31}$")]
    patients: Count
    cured: Count
    level: float
    member: str
    models: Annotated[dict[Model, ModelUpdate], Field(min_length=1)]


class Manifest(Document):
    """``model/manifest.json``: what a locked model consists of and where it came from.

    Attributes
    ----------
    format
        Version of the layout.
    thyrocast, contract, code, commit, config
        As in `contract.documents.Provenance`.
    parent
        Hash of the locked model that this one updates; None if it was trained.
    update
        What the update changed; None if it was trained.
    members
        Networks, by name.
    outcomes
        Whether the outcomes of the training patients are ``observed`` or ``shuffled``.
    simulated
        Whether training patients are simulated.
    preprocessing
        How images have to be standardized.
    files
        Every other file, by its path.
    training_cohort
        Training patients of each center.
    versions
        Versions of Python and of packages with which each rule computed the model.
    hash
        SHA-256 of everything else in the manifest (`planning.bundles.whole_hash`), and so of the
        whole model: its name in all results.
    """

    format: Literal[1]
    thyrocast: str
    contract: ThisContract
    code: str
    commit: str
    config: dict[str, JsonValue]
    parent: Sha256 | None
    update: Update | None = None
    members: list[Annotated[str, Field(pattern="^[a-z0-9-]{1,32}$")]]
    outcomes: Literal["observed", "shuffled"]
    simulated: bool
    preprocessing: Preprocessing
    files: dict[str, BundledFile]
    training_cohort: dict[str, TrainingPatients]
    versions: dict[str, dict[str, str]]
    hash: Sha256
