"""Masters that die and begin again: in this process, and as a server."""

from harness.sites.served import serve_master
from master.config import Timings
from master.protocol.exchange import Request
from master.store.database import Database
from simulated_agents.ports import NoReply
from simulated_agents.ports.http import HttpPort


def test_an_image_has_what_was_committed() -> None:
    """An open transaction leaves nothing in it."""
    database = Database()
    database.execute("INSERT INTO system_configs (key, value) VALUES ('a', '1')")
    database.execute("BEGIN")
    database.execute("INSERT INTO system_configs (key, value) VALUES ('b', '2')")
    other = Database(image=database.image())

    assert other.query("SELECT key FROM system_configs") == [("a",)]


async def test_a_server_is_killed_and_started_again() -> None:
    """It keeps its address and its database; in between nobody answers."""
    async with serve_master(Timings(), "2.0") as served:
        port = HttpPort(served.url)
        headers = {"authorization": f"Bearer {served.admin_token}"}
        create = Request("POST", "/api/nodes", headers, b'{"name":"alpha"}')
        assert (await port.send(create)).status == 200
        before = served.pid

        await served.process.stop()
        try:
            await port.send(Request("GET", "/api/nodes", headers))
            refused = False
        except NoReply as error:
            refused = error.definite
        assert refused

        await served.process.start()
        response = await port.send(Request("GET", "/api/nodes", headers))
        await port.aclose()

    assert response.status == 200
    assert b'"name":"alpha"' in response.body
    assert served.pid != before
