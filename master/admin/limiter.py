"""The limit on log-ins: five attempts a client in a fixed window of 60 s (protocol facts, 4.1)."""

from typing import Final

from master.protocol.times import NS

ATTEMPTS: Final = 5
WINDOW_NS: Final = 60 * NS


class LoginLimiter:
    """Counts attempts by client; a window begins with the first one in it."""

    def __init__(self) -> None:
        self._windows: dict[str, tuple[int, int]] = {}

    def allow(self, client: str, now_ns: int) -> bool:
        """Count an attempt, and return whether it may go on."""
        count, end_ns = self._windows.get(client, (0, now_ns + WINDOW_NS))
        if now_ns > end_ns:
            count, end_ns = 0, now_ns + WINDOW_NS
        if count < ATTEMPTS:
            count += 1
            allowed = True
        else:
            allowed = False
        self._windows[client] = (count, end_ns)
        return allowed

    def reset(self, client: str) -> None:
        """Forget a client's attempts, as after a success."""
        self._windows.pop(client, None)
