"""Reading the audit log."""

import re
from typing import Final

from master.admin.access import Caller, signed_in
from master.admin.filters import Filter
from master.call import Call
from master.http import success
from master.protocol import times
from master.protocol.exchange import Response
from master.protocol.wire import Outbound
from master.state import State
from master.store.rows import AuditLog

PAGE: Final = 50
"""How many rows there are at a time unless `limit` says otherwise."""

_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)


class LogView(Outbound, frozen=True, kw_only=True):
    """A row of the log."""

    id: int
    userId: int
    username: str
    category: str
    action: str
    targetType: str
    targetId: str
    targetName: str
    detail: str
    clientIp: str
    createdAt: str


class LogPage(Outbound, frozen=True, kw_only=True):
    """Some rows, and how many there are in all."""

    items: list[LogView]
    total: int


def _view(row: AuditLog) -> LogView:
    return LogView(
        id=row.id,
        userId=row.user_id,
        username=row.username,
        category=row.category,
        action=row.action,
        targetType=row.target_type,
        targetId=row.target_id,
        targetName=row.target_name,
        detail=row.detail,
        clientIp=row.client_ip,
        createdAt=times.wire_text(row.created_at or times.ZERO_DB_TEXT),
    )


def _number(call: Call, name: str, otherwise: int) -> int:
    """Return a parameter as a number; what cannot be read or is not positive counts as absent."""
    text = (call.request.parameter(name) or "").strip()
    number = int(text) if _NUMBER.fullmatch(text) else 0
    return number if number > 0 else otherwise


def list_all(state: State, call: Call, _: Caller) -> Response:
    """`GET /api/audit-logs`: the latest first, a page at a time.

    Raises:
        ApiError: AUDIT_FILTER_INVALID.

    """
    wanted = Filter(call, "AUDIT_FILTER_INVALID")
    wanted.text("category", "category = ?")
    wanted.text("action", "action = ?")
    wanted.text("username", "username = ?")
    wanted.text("targetId", "target_id = ?")
    wanted.text("keyword", "detail LIKE '%' || ? || '%' OR target_name LIKE '%' || ? || '%'")
    wanted.dates("created_at")
    page = f"LIMIT {_number(call, 'limit', PAGE)} OFFSET {_number(call, 'offset', 0)}"
    found = state.database.select(
        AuditLog, f"WHERE {wanted.where} ORDER BY created_at DESC, id DESC {page}", *wanted.values
    )
    total = state.database.count(AuditLog, wanted.where, *wanted.values)
    return success(LogPage(items=[_view(row) for row in found], total=total))


ROUTES: Final = {("GET", "/api/audit-logs"): signed_in(list_all)}
