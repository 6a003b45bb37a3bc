"""Every mutant, filed by the area of the clause that it breaks: a file an area, or a part of one.

To add one, add it to its area's file; to add an area, add its file here.
"""

from typing import Final

from harness.selfcheck.mutant import Mutant
from harness.selfcheck.mutants import auth, commands, results, timeouts

MUTANTS: Final[tuple[Mutant, ...]] = (
    *auth.MUTANTS,
    *commands.MUTANTS,
    *results.MUTANTS,
    *timeouts.MUTANTS,
)
"""Every mutant; their names are different."""
