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
    durability,
    events,
    http,
    leases,
    nodes,
    offline,
    records,
    relay,
    reports,
    restores,
    results,
    rpc,
    secrets,
    specs,
    timeouts,
    uploads,
    ways,
)

MUTANTS: Final[tuple[Mutant, ...]] = (
    *http.MUTANTS,
    *bodies.MUTANTS,
    *auth.MUTANTS,
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
    *secrets.MUTANTS,
)
"""Every mutant; their names are different."""
