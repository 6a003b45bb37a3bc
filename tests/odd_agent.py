"""A small agent that does one thing wrong, for the tests of `muster agent-test`.

It knows heartbeats, polls and listings, and nothing of muster. Its first argument is what it does
wrong; `right` does nothing wrong.
"""

import json
import os
import platform
import signal
import subprocess
import sys
import threading
import time
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

WRONG = sys.argv[1]
MASTER = urlsplit(os.environ["MUSTER_URL"])
TOKEN = os.environ["MUSTER_TOKEN"]


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def seconds(name: str) -> float:
    return float(os.environ[name].removesuffix("ms")) / 1_000


BEAT_S, POLL_S = seconds("BACKUPX_AGENT_HEARTBEAT"), seconds("BACKUPX_AGENT_POLL")


def call(path: str, body: object = None) -> Any:
    """Make a call, and return the data of its answer; `None` when there is none."""
    if WRONG == "token-in-url":
        path += f"?token={TOKEN}"
    data = b"" if body is None else json.dumps(body).encode()
    headers = {} if WRONG == "no-token" and body is None else {"X-Agent-Token": TOKEN}
    if WRONG == "leaky":
        say(f"calling with {headers}")
    connection = HTTPConnection(str(MASTER.hostname), MASTER.port, timeout=10)
    try:
        connection.request("POST", path, data, headers)
        answer = connection.getresponse()
        content = json.load(answer)
    except (OSError, ValueError, HTTPException) as error:
        if WRONG == "fragile":
            os._exit(3)
        say(f"{path}: {type(error).__name__}")
        return None
    finally:
        connection.close()
    return content.get("data") if answer.status == 200 else None


def heartbeat() -> Any:
    identity = {"hostname": "odd", "agentVersion": "v0", "os": "linux", "arch": platform.machine()}
    return call("/api/agent/heartbeat", {} if WRONG == "nameless" else identity)


def beat() -> None:
    while True:
        time.sleep(BEAT_S * (8 if WRONG == "rare" else 1))
        heartbeat()


def do(command: dict[str, Any]) -> None:
    result = f"/api/agent/commands/{command['id']}/result"
    path = command["payload"].get("path") if command["type"] == "list_dir" else None
    if not isinstance(path, str):
        if WRONG != "silent":
            call(result, {"success": False, "errorMessage": "cannot do that"})
        return
    entries = [
        {"name": one.name, "path": one.path, "isDir": one.is_dir(), "size": 0}
        for one in os.scandir(path)
    ]
    for _ in range(2 if WRONG == "twice" else 1):
        call(result, {"success": True, "errorMessage": "", "result": {"entries": entries}})


def work() -> None:
    waiting: list[dict[str, Any]] = []
    while True:
        if WRONG != "flood":
            time.sleep(POLL_S)
        answer = call("/api/agent/commands/poll")
        command = answer and answer["command"]
        if command:
            waiting.append(command)
        if waiting and not (WRONG == "hoard" and command):
            do(waiting.pop(0))


def main() -> None:
    if WRONG == "ends":
        say("nothing to do")
        sys.exit(7)
    if WRONG == "sleeps":
        time.sleep(3_600)
    if WRONG == "elsewhere":
        call("/v2/hello")
    if WRONG == "parent":
        subprocess.Popen(["sleep", "600"], start_new_session=True)
    if WRONG == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    else:
        signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    if WRONG != "headlong" and heartbeat() is None:
        sys.exit(0 if WRONG == "cheerful" else 1)
    threading.Thread(target=beat, daemon=True).start()
    if WRONG == "deaf":
        time.sleep(3_600)
    work()


main()
