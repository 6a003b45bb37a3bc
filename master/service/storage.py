"""Storage targets as agents meet them: their configuration in clear, and the way to them.

What lies on the master's own disk is reached through the master (`master_relay`), every other
target by the agent itself (`direct`).
"""

from typing import Final

from msgspec import Raw

from master.cipher import CipherError
from master.protocol import wire
from master.protocol.errors import ApiError
from master.protocol.messages import LocalDisk, bind_local_disk
from master.protocol.profiles import Profile
from master.protocol.wire import BindError
from master.state import State
from master.store.rows import Target

LOCAL_DISK: Final = "local_disk"
DIRECT: Final = "direct"
MASTER_RELAY: Final = "master_relay"


def relays(profile: Profile) -> bool:
    """Return whether a release reaches the master's own disk through the master."""
    return profile.relay


def on_disk(target: Target) -> bool:
    """Return whether a target is somebody's local disk."""
    return target.type.lower() == LOCAL_DISK


def configuration(state: State, target: Target) -> Raw:
    """Return a target's configuration in clear.

    Raises:
        ApiError: INTERNAL_ERROR; it does not open, or is no JSON.

    """
    try:
        return wire.compact(state.cipher.decrypt(target.config_ciphertext))
    except (CipherError, ValueError):
        raise ApiError("INTERNAL_ERROR") from None


def local_disk(state: State, target: Target) -> LocalDisk:
    """Return what a `local_disk` target's configuration says.

    Raises:
        ApiError: INTERNAL_ERROR; it does not open, or says something else.

    """
    try:
        return bind_local_disk(bytes(configuration(state, target)))
    except BindError:
        raise ApiError("INTERNAL_ERROR") from None


def transfer_mode(state: State, target: Target) -> str:
    """Return the way by which an agent's backup gets to a target.

    Raises:
        ApiError: INTERNAL_ERROR; the target's configuration cannot be read.

    """
    relayed = on_disk(target) and local_disk(state, target).masterRelay
    return MASTER_RELAY if relayed else DIRECT
