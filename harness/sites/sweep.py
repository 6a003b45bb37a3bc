"""Sweeping a server: removing what runs left there that were killed, or were told to keep it."""

from contextlib import AsyncExitStack
from pathlib import Path

from harness.sites.door import open_door
from harness.sites.file import TargetFile
from harness.sites.found import LEFT_PREFIX, insist, look
from harness.sites.notes import Tally
from harness.sites.ports import port_maker
from harness.sites.process import CommandServer, running
from harness.sites.tidy import Tidier
from harness.target import FileTables
from simulated_agents.clock import RealClock


async def sweep(target: TargetFile, log: Path) -> Tally:
    """Remove everything on a server whose name begins as muster's names do.

    Args:
        target: the server; one that has a command and does not run is started meanwhile.
        log: takes its log then.

    Raises:
        TargetError: there is no such server, or no way in (exit 6).
        StopError: a secret is not where the target file says it is (exit 4).
        NoReply: the server is gone.

    """
    make_port = port_maker(target)
    async with AsyncExitStack() as stack:
        if target.command is not None:
            server = CommandServer(target, target.command, make_port, log)
            if await server.is_free():
                await stack.enter_async_context(running(server))
        port = make_port()
        stack.push_async_callback(port.aclose)
        way = await open_door(target, port)
        found = await look(target, way, port, RealClock())
        insist(target, found)
        tidier = Tidier(port, way.token, target.scratch)
        if found.able(target, None).writes_tables and target.database is not None:
            tidier.use_tables(FileTables(target.database))
        return await tidier.remove(LEFT_PREFIX)
