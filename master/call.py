"""One request at its endpoint: what was asked, when, and of which id.

Also the readers that endpoints share: ids, bodies, and who is allowed.
"""

import re
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from master.now import Now
from master.protocol.errors import ApiError
from master.protocol.exchange import Request
from master.protocol.wire import BindError, M

_DIGITS: Final = re.compile(r"0*([0-9]{1,20})", re.ASCII)  # 2^64 has 20
_UINT32_MAX: Final = 2**32 - 1
_UINT64_MAX: Final = 2**64 - 1


def _unsigned(text: str) -> int | None:
    """Return a number without its leading zeros, of which Python reads no more than 4,300."""
    digits = _DIGITS.fullmatch(text)
    return None if digits is None else int(digits[1])


def _agent_id(text: str) -> int:
    number = _unsigned(text)
    if number is None or number > _UINT32_MAX:
        raise ApiError("INTERNAL_ERROR")
    return number


class Call(Struct, frozen=True, gc=False):
    """A request on its way into an endpoint.

    Attributes:
        request: as it came.
        now: the instant everything it changes is stamped with.
        parameter: the text in place of the route's `:id`.
        second: the text in place of the route's `:second`.

    """

    request: Request
    now: Now
    parameter: str = ""
    second: str = ""

    def agent_id(self) -> int:
        """Return the id in the path of an agent or node endpoint (32 bits).

        Raises:
            ApiError: INTERNAL_ERROR; the real master takes an unreadable id for its own fault.

        """
        return _agent_id(self.parameter)

    def second_agent_id(self) -> int:
        """Return the other id in such a path.

        Raises:
            ApiError: INTERNAL_ERROR.

        """
        return _agent_id(self.second)

    def admin_id(self) -> int:
        """Return the id in the path of any other admin endpoint (64 bits).

        Raises:
            ApiError: INVALID_ID.

        """
        text = self.parameter.strip()
        number = _unsigned(text)
        if number is None or number > _UINT64_MAX:
            raise ApiError("INVALID_ID")
        return number

    def body(self, bind: Callable[[bytes], M], code: str = "INVALID_INPUT") -> M:
        """Return the request's message.

        Raises:
            ApiError: `code`; with INVALID_INPUT the message says what was wrong.

        """
        try:
            return bind(self.request.body)
        except BindError as error:
            message = str(error) if code == "INVALID_INPUT" else None
            raise ApiError(code, message) from None
