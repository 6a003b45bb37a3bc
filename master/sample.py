"""One line of `/metrics`."""

from typing import Final

from msgspec import Struct

_ESCAPES: Final = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})


class Sample(Struct, frozen=True, gc=False):
    """One value: of which figure, of which thing."""

    name: str
    labels: dict[str, str]
    value: int

    def text(self) -> str:
        """Return its line."""
        labels = ",".join(
            f'{name}="{value.translate(_ESCAPES)}"' for name, value in sorted(self.labels.items())
        )
        return f"{self.name}{{{labels}}} {self.value}\n"
