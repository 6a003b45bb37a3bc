"""Every mutant, filed by the area of the clause that it breaks: a file an area, or a part of one.

To add one, add it to its area's file; to add an area, add its file here.
"""

from typing import Final

from harness.selfcheck.mutant import Mutant
from harness.selfcheck.mutants import (
    admin,
    auth,
    bodies,
    checked,
    commands,
    deletions,
    durability,
    events,
    http,
    leases,
    nodes,
    offline,
    overview,
    pools,
    records,
    relay,
    reports,
    restores,
    results,
    rpc,
    scheduler,
    secrets,
    specs,
    tasks,
    timeouts,
    tokens,
    uploads,
    ways,
)

MUTANTS: Final[tuple[Mutant, ...]] = (
    *http.MUTANTS,
    *bodies.MUTANTS,
    *auth.MUTANTS,
    *tokens.MUTANTS,
    *nodes.MUTANTS,
    *offline.MUTANTS,
    *commands.MUTANTS,
    *results.MUTANTS,
    *timeouts.MUTANTS,
    *leases.MUTANTS,
    *specs.MUTANTS,
    *ways.MUTANTS,
    *records.MUTANTS,
    *reports.MUTANTS,
    *checked.MUTANTS,
    *restores.MUTANTS,
    *rpc.MUTANTS,
    *uploads.MUTANTS,
    *relay.MUTANTS,
    *events.MUTANTS,
    *durability.MUTANTS,
    *admin.MUTANTS,
    *tasks.MUTANTS,
    *deletions.MUTANTS,
    *pools.MUTANTS,
    *scheduler.MUTANTS,
    *overview.MUTANTS,
    *secrets.MUTANTS,
)
"""Every mutant; their names are different."""
