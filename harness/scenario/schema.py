"""The JSON Schema of scenario files."""

from typing import Any


def json_schema() -> dict[str, Any]:
    """Return the schema."""
    return {}
