"""Random streams forked by name from one seed, so that one agent's draws never move another's."""

import random
from hashlib import sha256


def fork(seed: int, name: str) -> random.Random:
    """Return the stream of a name: the same in every process, under every hash seed."""
    digest = sha256(f"{seed}/{name}".encode()).digest()
    return random.Random(int.from_bytes(digest, "big"))
