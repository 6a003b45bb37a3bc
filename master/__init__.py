"""The reference master: the real one's wire and database, written to be read.

`Master` (in `master.core`) is the whole of it: give it a database, a clock and a source of
randomness, and hand it requests. `master.app` puts it behind ASGI and `master.serve` on a socket.
"""

import logging

logging.getLogger("muster").addHandler(logging.NullHandler())  # who listens is the program's choice
