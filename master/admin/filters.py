"""Conditions on a list, from a query string."""

import re
from typing import Any, Final

from master.admin.rules import whole
from master.call import Call
from master.protocol import times
from master.protocol.errors import ApiError
from master.state import State

_RFC3339: Final = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:\d\d)", re.ASCII
)


class Filter:
    """Conditions on a list, gathered from a query string.

    Args:
        call: the request.
        code: what a condition that cannot be read is refused with.

    """

    def __init__(self, call: Call, code: str) -> None:
        self._request = call.request
        self._code = code
        self._conditions: list[str] = []
        self._values: list[str | int] = []

    def _text(self, name: str) -> str:
        return (self._request.parameter(name) or "").strip()

    def _add(self, condition: str, value: str | int) -> None:
        self._conditions.append(condition)
        self._values.append(value)

    def id(self, name: str, column: str, bits: int) -> None:
        """Take a parameter as the id that a column must hold.

        Raises:
            ApiError: the filter's code.

        """
        text = self._text(name)
        if not text:
            return
        number = whole(text, bits)
        if number is None:
            raise ApiError(self._code, f"{name} 不合法")
        self._add(f"{column} = ?", number if number < 2**63 else -1)

    def status_and_dates(self) -> None:
        """Take the parameters that both lists have: status, dateFrom, dateTo.

        Raises:
            ApiError: the filter's code.

        """
        self.text("status", "status = ?")
        self.dates("started_at")

    def text(self, name: str, condition: str) -> None:
        """Take a parameter as the text for every mark of a condition."""
        text = self._text(name)
        if text:
            self._conditions.append(f"({condition})")
            self._values += [text] * condition.count("?")

    def dates(self, column: str) -> None:
        """Take dateFrom and dateTo as the bounds of a column, both included.

        Raises:
            ApiError: the filter's code.

        """
        for name, comparison in (("dateFrom", ">="), ("dateTo", "<=")):
            text = self._text(name)
            if text:
                self._add(f"{column} {comparison} ?", self._date(name, text))

    def _date(self, name: str, text: str) -> str:
        refusal = ApiError(self._code, f"{name} 必须为 RFC3339 时间格式")
        if not _RFC3339.fullmatch(text):
            raise refusal
        try:
            return times.db_text(times.parse(text.replace(",", ".")))
        except (ValueError, OverflowError):  # a 30th of February, a year with no UTC
            raise refusal from None

    @property
    def where(self) -> str:
        """All conditions as one."""
        return " AND ".join(self._conditions) or "1"

    @property
    def values(self) -> tuple[str | int, ...]:
        """What stands for its marks."""
        return tuple(self._values)

    def select(self, state: State, row: type[Any]) -> list[Any]:
        """Return the rows that meet all conditions, the latest first."""
        order = "ORDER BY started_at DESC, id DESC"
        return state.database.select(row, f"WHERE {self.where} {order}", *self.values)
