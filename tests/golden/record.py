"""Record golden stories: play their requests on a running BackupX, keep its answers.

    python tests/golden/record.py --url http://127.0.0.1:8340 [--db FILE] STORY.json

Every story begins on an empty master, so give each one a master of its own, started
with TZ=UTC.  Expected responses and rows are rewritten in place; with ``--check``
nothing is written and differences are printed instead.
"""

from __future__ import annotations

import argparse
import http.client
import json
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from replay import KEPT, Answer, Player, Query, Send, Story, replay

POLL = "/api/agent/commands/poll"


def sender(url: str) -> Send:
    """Send requests to the master at `url` verbatim: no path cleaning, no redirects."""
    address = urlsplit(url).netloc

    def once(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        connection = http.client.HTTPConnection(address, timeout=60)
        try:
            connection.request(method, path, body or None, dict(headers))
            response = connection.getresponse()
            return response.status, dict(response.getheaders()), response.read()
        finally:
            connection.close()

    def send(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        answer = once(method, path, headers, body)
        # BackupX writes its audit log on the side.  A poll that meets such a write finds
        # the database locked, fails and has done nothing: it may simply be repeated.
        while path == POLL and answer[0] == 500:
            time.sleep(0.05)
            answer = once(method, path, headers, body)
        return answer

    return send


def querier(path: Path) -> Query:
    """Run statements on the database file of the master."""

    def query(sql: str) -> list[list[Any]]:
        connection = sqlite3.connect(path, timeout=10)
        try:
            with connection:
                return [list(row) for row in connection.execute(sql)]
        finally:
            connection.close()

    return query


def record(story: Story, send: Send, query: Query | None) -> Story:
    """Give `story` with the outcomes that this master showed."""
    usual = {key.title(): value for key, value in send("GET", "/health", {}, b"")[1].items()}
    headers = {key: value for key, value in sorted(usual.items()) if KEPT.fullmatch(key)}
    player = Player(send, query, headers=headers)
    steps = [player.observe(step) for step in story["steps"]]
    return {**story, "headers": headers, "steps": steps}


def write(path: Path, story: Story) -> None:
    """Write `story` to `path` as JSON with a line for each step."""
    lines: list[str] = []
    for key, value in story.items():
        shown = json.dumps(value, ensure_ascii=False)
        if key == "steps":
            steps = ",\n  ".join(json.dumps(step, ensure_ascii=False) for step in value)
            shown = f"[\n  {steps}\n ]"
        lines.append(f"{json.dumps(key)}: {shown}")
    path.write_text("{\n " + ",\n ".join(lines) + "\n}\n", encoding="utf-8")


def main() -> int:
    """Record or check the stories named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--url", required=True, help="address of an empty master")
    parser.add_argument("--db", type=Path, help="its database file")
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    parser.add_argument("stories", nargs="+", type=Path, metavar="STORY")
    options = parser.parse_args()
    send = sender(options.url)
    query = querier(options.db) if options.db else None
    different = 0
    for path in options.stories:
        status = send("GET", "/api/auth/setup/status", {}, b"")[2]
        if b'"initialized":false' not in status:
            parser.exit(2, f"{path}: the master is not empty: {status.decode()}\n")
        story: Story = json.loads(path.read_text(encoding="utf-8"))
        if options.check:
            for difference in replay(story, send, query):
                different += 1
                sys.stdout.write(f"{path.name}, {difference}\n")
            continue
        story = record(story, send, query)
        write(path, story)
        seen = Counter(s["response"]["status"] for s in story["steps"] if "response" in s)
        steps = len(story["steps"])
        sys.stdout.write(f"{path.name}: {steps} steps, {dict(sorted(seen.items()))}\n")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
