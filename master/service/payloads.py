"""What stays of a command's payload when it ends: its secrets have served their purpose.

A discovery carries a database password to the agent, and a deletion the credentials of a storage
target; where the profile says so, they do not outlive the command that needed them.
"""

import json
from typing import Any, Final

from master.protocol import wire
from master.protocol.states import CommandType
from master.state import State
from master.store.rows import Command

_SECRETS: Final[dict[str, str]] = {
    CommandType.DISCOVER_DB.value: "password",
    CommandType.DELETE_STORAGE_OBJECT.value: "targetConfig",
}


def kept(state: State, command: Command) -> str:
    """Return the payload that an ended command keeps."""
    secret = _SECRETS.get(command.type)
    if secret is None or not state.config.profile.payloads_forget_secrets:
        return command.payload
    try:
        payload: Any = json.loads(command.payload)
    except ValueError:
        return "{}"  # nobody can say what is in it
    if not isinstance(payload, dict):
        return "{}"
    return wire.canonical({name: value for name, value in payload.items() if name != secret})
