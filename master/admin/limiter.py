"""Limits by client (protocol facts, 4.1 and 4.3).

Log-ins: five attempts in a fixed window of 60 s. Install scripts: 20 requests in any 60 s.
"""

from typing import Final

from master.protocol.times import NS

ATTEMPTS: Final = 5
REQUESTS: Final = 20
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


class SlidingLimiter:
    """Counts requests by client, those of the last minute; one that was refused does not count."""

    def __init__(self) -> None:
        self._times: dict[str, list[int]] = {}

    def allow(self, client: str, now_ns: int) -> bool:
        """Return whether a request may go on, and count it if so."""
        cutoff_ns = now_ns - WINDOW_NS
        for other in [one for one, times in self._times.items() if times[-1] <= cutoff_ns]:
            del self._times[other]
        recent = [at for at in self._times.get(client, ()) if at > cutoff_ns]
        allowed = len(recent) < REQUESTS
        if allowed:
            recent.append(now_ns)
        self._times[client] = recent
        return allowed
