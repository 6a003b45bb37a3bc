"""Install tokens: what they are made for, what they bring, once, and for how long."""

import base64
import json
import subprocess
from typing import Any, Final

import pytest
import trio
from cluster import EVERY, Cluster, cluster, profiles

from harness.redact import Redactor
from master.installer import Plan, compose, script
from master.protocol.exchange import Request, Response
from master.store.rows import InstallToken

WANTED: Final = {"agentVersion": "v2.0.0"}
HOST: Final = "backup.example:8340"


def send(made: Cluster, method: str, path: str, body: object = None, **headers: str) -> Response:
    """Ask as the administrator, over a host."""
    sent = {"authorization": f"Bearer {made.admin}", "host": HOST} | headers
    raw = b"" if body is None else json.dumps(body).encode()
    path, _, query = path.partition("?")
    return trio.run(made.master.handle, Request(method, path, sent, raw, query))


def make(made: Cluster, node_id: int, **wanted: object) -> dict[str, Any]:
    body = {**WANTED, **wanted}
    answer = send(made, "POST", f"/api/nodes/{node_id}/install-tokens", body)
    assert answer.status == 200, answer.body.decode()
    stored = dict(answer.headers).get("Cache-Control")
    assert stored == ("no-store" if made.profile.tokens_not_stored else None)
    data: dict[str, Any] = json.loads(answer.body)["data"]
    return data


@pytest.mark.parametrize("profile", EVERY)
def test_a_token_says_where_it_is_good(profile: str) -> None:
    """Below `/install`; since v2.2.1 below `/api/install`, with the old place and the script beside it."""
    with cluster(profile) as made:
        node_id, token = made.node()
        answer = make(made, node_id, mode="docker")
        plain = make(made, node_id)

        install = answer["installToken"]
        old = f"http://{HOST}/install/{install}"
        new = f"http://{HOST}/api/install/{install}"
        assert list(answer) == sorted(answer)
        if profile in profiles("install_fallbacks"):
            assert (answer["url"], answer["fallbackUrl"]) == (new, old)
            assert answer["composeUrl"] == f"{new}/compose.yml"
            assert answer["fallbackComposeUrl"] == f"{old}/compose.yml"
            assert token in base64.b64decode(answer["scriptBase64"]).decode()
            assert plain["fallbackComposeUrl"] == ""
        else:
            assert set(answer) == {"composeUrl", "expiresAt", "installToken", "url"}
            assert (answer["url"], answer["composeUrl"]) == (old, f"{old}/compose.yml")
        assert plain["composeUrl"] == ""
        row = made.database.get(InstallToken, 2)
        assert row is not None
        assert (row.mode, row.arch, row.download_src, row.agent_ver) == (
            "systemd", "auto", "github", "v2.0.0",
        )  # fmt: skip
        assert len(install) == 64


@pytest.mark.parametrize("profile", EVERY)
@pytest.mark.parametrize("under", ["/install", "/api/install"])
def test_a_token_is_good_once(profile: str, under: str) -> None:
    """For a shell script with the node's token as it is then; afterwards it is gone."""
    with cluster(profile) as made:
        node_id, _ = made.node()
        install = make(made, node_id)["installToken"]
        token = made.data("POST", f"/api/nodes/{node_id}/rotate-token")["newToken"]
        first, second = (send(made, "GET", f"{under}/{install}") for _ in range(2))
        row = made.data("GET", "/api/audit-logs?action=consume")["items"]

    if under == "/api/install" and profile not in profiles("install_under_api"):
        assert (first.status, json.loads(first.body)["code"]) == (404, "NOT_FOUND")
        return
    assert first.status == 200
    assert f'AGENT_TOKEN="{token}"' in first.body.decode()
    assert f'MASTER_URL="http://{HOST}"' in first.body.decode()
    headers = dict(first.headers)
    if profile in profiles("install_under_api"):
        assert headers == {
            "Content-Type": "text/plain; charset=utf-8",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
            "Content-Disposition": 'inline; filename="backupx-agent-install.sh"',
        }
    else:
        assert headers == {"Content-Type": "text/x-shellscript; charset=utf-8"}
    assert second.status == 410
    assert dict(second.headers) == {"Content-Type": "text/plain; charset=utf-8"}
    assert [one["detail"] for one in row] == ["install token 消费 (script)"]
    assert (row[0]["username"], row[0]["targetName"]) == ("", "alpha")


@pytest.mark.parametrize("profile", EVERY)
def test_a_compose_file_is_the_other_way_to_use_it(profile: str) -> None:
    """For docker alone; whichever is fetched first uses the token up."""
    with cluster(profile) as made:
        node_id, token = made.node()
        docker = make(made, node_id, mode="docker")["installToken"]
        other = make(made, node_id)["installToken"]
        wrong = send(made, "GET", f"/install/{other}/compose.yml")
        right = send(made, "GET", f"/install/{docker}/compose.yml")
        late = [send(made, "GET", f"/install/{docker}{end}") for end in ("", "/compose.yml")]
        still = send(made, "GET", f"/install/{other}")

    assert (wrong.status, right.status, still.status) == (400, 200, 200)
    assert [answer.status for answer in late] == [410, 410]
    assert f'BACKUPX_AGENT_TOKEN: "{token}"' in right.body.decode()
    headers = dict(right.headers)
    assert headers["Content-Type"] == "text/yaml; charset=utf-8"
    assert ("Cache-Control" in headers) is (profile in profiles("tokens_not_stored"))


def test_a_token_ends() -> None:
    """At the second that it names, and no sooner; nobody has made it up either."""
    with cluster("2.0") as made:
        node_id, _ = made.node()
        tokens = [make(made, node_id, ttlSeconds=300)["installToken"] for _ in range(2)]
        made.wait(299.9)
        assert send(made, "GET", f"/install/{tokens[0]}").status == 200
        made.wait(0.1)
        assert send(made, "GET", f"/install/{tokens[1]}").status == 410
        assert send(made, "GET", f"/install/{'0' * 64}").status == 410
        assert send(made, "GET", f"/install/{'0' * 64}/compose.yml").status == 410


@pytest.mark.parametrize(
    "wrong",
    [
        {"mode": "snap"},
        {"arch": "mips"},
        {"downloadSrc": "elsewhere"},
        {"agentVersion": ""},
        {"agentVersion": "x" * 65},
        {"agentVersion": 'v2"; rm'},
        {"ttlSeconds": 299},
        {"ttlSeconds": 86_401},
        {"ttlSeconds": -1},
    ],
)
def test_what_no_token_is_made_for(wrong: dict[str, object]) -> None:
    """Is refused before the node is looked for."""
    with cluster("2.4") as made:
        refusal = made.refusal("POST", "/api/nodes/99/install-tokens", {**WANTED, **wrong})

    assert refusal == (400, "INSTALL_TOKEN_INVALID")


def test_a_version_that_cannot_be_quoted_makes_no_script() -> None:
    """v2.0.0 makes a token for any version, which is used up for nothing."""
    with cluster("2.0") as made:
        node_id, _ = made.node()
        install = make(made, node_id, agentVersion='v2"; rm')["installToken"]
        first, second = (send(made, "GET", f"/install/{install}") for _ in range(2))

    assert (first.status, first.body, second.status) == (500, b"render error\n", 410)


def test_who_may_make_tokens_and_for_which_node() -> None:
    """Admins, with a body, for a node that is there."""
    with cluster("2.0") as made:
        path = "/api/nodes/2/install-tokens"
        assert made.refusal("POST", path, WANTED) == (404, "NODE_NOT_FOUND")
        assert made.refusal("POST", "/api/nodes/x/install-tokens", WANTED)[0] == 500
        assert made.refusal("POST", path) == (400, "INVALID_INPUT")
        assert made.refusal("POST", path, WANTED, key=made.key("operator")) == (
            403,
            "AUTH_FORBIDDEN",
        )


def test_a_node_is_given_five_tokens_a_minute() -> None:
    """In any 60 s; another node is not counted with it."""
    with cluster("2.0") as made:
        one, _ = made.node("one")
        two, _ = made.node("two")
        for _ in range(5):
            make(made, one)
        path = f"/api/nodes/{one}/install-tokens"
        assert made.refusal("POST", path, WANTED) == (429, "INSTALL_TOKEN_RATE_LIMITED")
        make(made, two)
        made.wait(60)
        make(made, one)


def test_scripts_are_asked_for_twenty_times_a_minute() -> None:
    """By one client, whatever the token; it is text that says so, and others are not kept out."""
    with cluster("2.4") as made:
        node_id, _ = made.node()
        install = make(made, node_id)["installToken"]
        for _ in range(20):
            assert send(made, "GET", "/install/none").status == 410
        refused = send(made, "GET", f"/install/{install}")
        assert (refused.status, refused.headers[0][1]) == (429, "text/plain; charset=utf-8")
        other = {"x-forwarded-for": "203.0.113.9"}
        assert send(made, "GET", "/api/install/none", **other).status == 410
        made.wait(60)
        assert send(made, "GET", f"/install/{install}").status == 200


@pytest.mark.parametrize("profile", EVERY)
def test_an_agent_may_have_another_way_to_its_master(profile: str) -> None:
    """Since v2.4.0: another address, a proxy, a certificate; nobody looked at them before."""
    way = {
        "agentMasterUrl": "https://inner.example/x/ ",
        "proxyUrl": "socks5://proxy.example:1080",
        "caCertFile": "/etc/ssl/ca.pem",
    }
    with cluster(profile) as made:
        node_id, _ = made.node()
        answer = make(made, node_id, **way)
        text = send(made, "GET", f"/install/{answer['installToken']}").body.decode()

        if profile in profiles("install_connections"):
            assert answer["url"].startswith("https://inner.example/x/api/install/")
            assert 'MASTER_URL="https://inner.example/x"' in text
            assert "socks5://proxy.example:1080" in text
            assert "/etc/ssl/ca.pem" in text
            path = f"/api/nodes/{node_id}/install-tokens"
            for broken in (
                {"proxyUrl": "ftp://x"},
                {"caCertFile": "ca.pem"},
                {"caCertFile": "/etc/../ca.pem"},
                {"agentMasterUrl": 'http://a"b'},
                {"proxyUrl": "http://" + "x" * 2048},
            ):
                assert made.refusal("POST", path, {**WANTED, **broken}) == (
                    400,
                    "INSTALL_TOKEN_INVALID",
                )
        else:
            assert "inner.example" not in text


@pytest.mark.parametrize("profile", EVERY)
def test_a_proxy_says_where_the_master_is(profile: str) -> None:
    """Anybody could, before v2.4.0."""
    headers = {"x-forwarded-proto": "https", "x-forwarded-host": "outer.example"}
    with cluster(profile) as made:
        node_id, _ = made.node()
        path, body = f"/api/nodes/{node_id}/install-tokens", json.dumps(WANTED).encode()
        sent = {"authorization": f"Bearer {made.admin}", "host": HOST, **headers}
        request = Request("POST", path, sent, body, client="192.0.2.5")
        url = json.loads(trio.run(made.master.handle, request).body)["data"]["url"]

    trusted = profile not in profiles("proxies_trusted")
    assert url.startswith("https://outer.example/" if trusted else f"http://{HOST}/")


def test_a_preview_has_no_token() -> None:
    """And uses none up."""
    with cluster("2.0") as made:
        made.node()
        path = "/api/nodes/2/install-script-preview"
        answer = send(made, "GET", f"{path}?agentVersion=v2.0.0&mode=docker")

        assert 'AGENT_TOKEN="<AGENT_TOKEN>"' in answer.body.decode()
        assert "docker run" in answer.body.decode()
        assert made.refusal("GET", path) == (400, "INVALID_INPUT")
        assert made.refusal("GET", f"{path}?agentVersion=v%3B2")[0] == 500
        assert made.send("GET", f"{path}?agentVersion=v2&mode=snap").status == 200
    with cluster("2.4") as made:
        made.node()
        refusal = made.refusal("GET", f"{path}?agentVersion=v2&mode=snap")
        assert refusal == (400, "INSTALL_TOKEN_INVALID")


@pytest.mark.parametrize("mode", ["systemd", "docker", "foreground"])
def test_the_script_is_one_for_sh(mode: str) -> None:
    """A shell reads it to its end and finds nothing to complain of."""
    plan = Plan(
        master_url="http://m:1",
        token="ab" * 32,
        version="v2.0.0",
        mode=mode,
        arch="auto",
        proxy_url="http://p:2",
    )
    done = subprocess.run(
        ["/bin/sh", "-n"], input=script(plan), text=True, capture_output=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_no_secret_of_a_script_reaches_a_history() -> None:
    """Not even one that the run never heard of."""
    plan = Plan(master_url="http://m:1", token="ab" * 32, version="v2", mode="docker", arch="auto")
    encoded = base64.b64encode(script(plan).encode()).decode()
    redactor = Redactor()

    assert plan.token not in redactor.text(script(plan))
    assert plan.token not in redactor.text(compose(plan))
    assert encoded not in str(redactor.value({"scriptBase64": encoded, "url": "x"}))
