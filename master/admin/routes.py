"""Every endpoint of the admin API.

Not in the package itself: `master.state` imports from there, and every endpoint imports the state.
"""

from collections.abc import Mapping
from typing import Final

from master.admin import (
    api_keys,
    audit_logs,
    auth,
    batches,
    contents,
    dashboard,
    event_stream,
    health,
    install,
    nodes,
    observability,
    records,
    restores,
    rpc,
    runs,
    targets,
    tasks,
    users,
)
from master.http import ByProfile, Handler

ADMIN_ROUTES: Final[Mapping[tuple[str, str], Handler | ByProfile]] = {
    **health.ROUTES,
    **auth.ROUTES,
    **users.ROUTES,
    **api_keys.ROUTES,
    **nodes.ROUTES,
    **install.ROUTES,
    **targets.ROUTES,
    **tasks.ROUTES,
    **runs.ROUTES,
    **batches.ROUTES,
    **records.ROUTES,
    **contents.ROUTES,
    **restores.ROUTES,
    **rpc.ROUTES,
    **dashboard.ROUTES,
    **audit_logs.ROUTES,
    **event_stream.ROUTES,
    **observability.ROUTES,
}
