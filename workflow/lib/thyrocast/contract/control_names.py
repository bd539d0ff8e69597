"""Enumerations of the negative and positive controls; standard library only."""

from enum import StrEnum

#: A p value of at most this is reported: above chance, or better than the gland.
ALARM = 0.01


class Control(StrEnum):
    """What is given to a regression in place of embeddings, or is planted."""

    WHOLE_IMAGE = "whole_image"
    GLAND_ALONE = "gland_alone"
    GLAND_MASKED = "gland_masked"
    BACKGROUND_ALONE = "background_alone"
    ACQUISITION = "acquisition"
    COUNTS = "counts"
    NOISE = "noise"
    PLANTED_MARKER = "planted_marker"
    PLANTED_FEATURE = "planted_feature"


class ImagePart(StrEnum):
    """Parts of the images on which networks can be trained."""

    GLAND_ALONE = "gland_alone"
    GLAND_MASKED = "gland_masked"
    BACKGROUND_ALONE = "background_alone"


class ControlKind(StrEnum):
    """What is expected of a control: chance, a strong effect, or nothing in particular."""

    NEGATIVE = "negative"
    POSITIVE = "positive"
    REFERENCE = "reference"


class ControlFinding(StrEnum):
    """What a control showed."""

    CHANCE = "chance"
    ABOVE_CHANCE = "above_chance"
    FOUND = "found"
    NOT_FOUND = "not_found"
    BETTER_THAN_GLAND = "better_than_gland"
    NOT_BETTER = "not_better"
    NONE = "none"


class LeakyTwin(StrEnum):
    """Faults of an analysis, each switched on alone."""

    SELECTION = "selection"
    TUNING = "tuning"
    THRESHOLD = "threshold"
    IN_SAMPLE = "in_sample"
    DUPLICATES = "duplicates"
    SCALING = "scaling"
    HARMONIZATION = "harmonization"


class Harmonized(StrEnum):
    """How centers were made alike before their center is predicted."""

    NONE = "none"
    ZSCORE = "zscore"
    COMBAT = "combat"


class ProbeSource(StrEnum):
    """From what the center of a patient is predicted."""

    EMBEDDINGS = "embeddings"
    WHOLE_IMAGE = "whole_image"
    QUANTITIES = "quantities"


class Randomized(StrEnum):
    """Up to which block, from the top, the weights of a network are random."""

    NOTHING = "nothing"
    CLASSIFIER = "fc"
    LAYER4 = "layer4"
    LAYER3 = "layer3"
    LAYER2 = "layer2"
    LAYER1 = "layer1"
    ALL = "all"


#: The steps by their number: the compact network has one block less.
CASCADES = {
    len(steps): steps
    for steps in (
        tuple(Randomized),
        tuple(step for step in Randomized if step is not Randomized.LAYER1),
    )
}


class Compared(StrEnum):
    """With what a patient's map is compared."""

    METHOD = "method"
    MEMBERS = "members"


class Curve(StrEnum):
    """What happens to the pixels that a map marks first."""

    DELETION = "deletion"
    INSERTION = "insertion"
