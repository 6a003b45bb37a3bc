"""An HTTP/1.1 front: what comes over TCP, as requests on a port.

`server` listens, refuses and cuts; `connection` speaks HTTP on one connection; `bodies` are what
comes in pieces, and headers as they stand on the wire. Whom a request goes to is its port's matter:
a reference master in this process, a real one, with or without faults on the way.
"""

from harness.front.server import Front

__all__ = ["Front"]
