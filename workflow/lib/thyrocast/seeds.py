"""Random seeds; standard library only."""

import hashlib


def derive(base: int, *names: object) -> int:
    """Derive a 32-bit seed for one use: the same base and names always give the same seed."""
    text = "\0".join([str(base), *map(str, names)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
