"""Values of the config that the network's code compares; standard library only.

`benchmarks/gpu.py` trains on machines that have PyTorch and nothing to read a config with.
"""

from enum import StrEnum

#: Value of ``network.weights`` that starts from random weights.
RANDOM = "random"


class Architecture(StrEnum):
    """Kind of network that is trained on scintigrams."""

    RESNET50 = "resnet50"
    COMPACT = "compact"


#: Features of an embedding: what the global average of each architecture returns.
EMBEDDED = {Architecture.RESNET50: 2048, Architecture.COMPACT: 80}


class Pretraining(StrEnum):
    """What a network has learned before its training."""

    NONE = "none"
    SIMULATION = "simulation"


class Imbalance(StrEnum):
    """How the loss weighs the outcomes."""

    WEIGHTED = "weighted"
    NONE = "none"


class Precision(StrEnum):
    """Number format of the network's computations."""

    AUTO = "auto"
    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
