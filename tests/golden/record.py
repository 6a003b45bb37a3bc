"""Record golden stories: play their requests on a running BackupX, keep its answers.

    python tests/golden/record.py --url http://127.0.0.1:8340 [--db FILE] STORY.json

Every story begins on an empty master, so give each one a master of its own, started
with TZ=UTC.  Expected responses and rows are rewritten in place; with ``--check``
nothing is written and differences are printed instead.

    python tests/golden/record.py … --release v2.3.4 tests/golden/v2.0.0/STORY.json

plays the story of one release on another one and writes, below ``tests/golden/v2.3.4``,
what that did otherwise.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

from replay import (
    FOLDER,
    KEPT,
    Answer,
    Player,
    Query,
    Send,
    Story,
    given,
    load,
    over_tcp,
    replay,
    unlike,
)

POLL = "/api/agent/commands/poll"


def patient(send: Send) -> Send:
    """Repeat polls that meet another writer's lock."""

    def sent(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        answer = send(method, path, headers, body)
        # BackupX writes its audit log on the side.  A poll that meets such a write finds
        # the database locked, fails and has done nothing: it may simply be repeated.
        while path == POLL and answer[0] == HTTPStatus.INTERNAL_SERVER_ERROR:
            time.sleep(0.05)
            answer = send(method, path, headers, body)
        return answer

    return sent


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


def record(story: Story, send: Send, query: Query | None, folder: Path | None) -> Story:
    """Give `story` with the outcomes that this master showed."""
    usual = {key.title(): value for key, value in send("GET", "/health", {}, b"")[1].items()}
    headers = {key: value for key, value in sorted(usual.items()) if KEPT.fullmatch(key)}
    player = Player(send, query, headers=headers, captured=given(folder))
    steps = [player.observe(step) for step in story["steps"]]
    return {**story, "headers": headers, "steps": steps}


def write(path: Path, story: Story) -> None:
    """Write `story` to `path` as JSON with a line for each step, or outcome."""
    lines: list[str] = []
    for key, value in story.items():
        shown = json.dumps(value, ensure_ascii=False)
        if key == "steps":
            steps = ",\n  ".join(json.dumps(step, ensure_ascii=False) for step in value)
            shown = f"[\n  {steps}\n ]"
        elif key == "outcomes" and value:
            outcomes = ",\n  ".join(
                f"{json.dumps(number)}: {json.dumps(outcome, ensure_ascii=False)}"
                for number, outcome in value.items()
            )
            shown = f"{{\n  {outcomes}\n }}"
        lines.append(f"{json.dumps(key)}: {shown}")
    path.write_text("{\n " + ",\n ".join(lines) + "\n}\n", encoding="utf-8")


def main() -> int:
    """Record or check the stories named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--url", required=True, help="address of an empty master")
    parser.add_argument("--db", type=Path, help="its database file")
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    parser.add_argument("--folder", type=Path, help=f"where its storage may be; named {FOLDER}")
    parser.add_argument("--release", help="the master's release, where it is not the story's")
    parser.add_argument("stories", nargs="+", type=Path, metavar="STORY")
    options = parser.parse_args()
    send = patient(over_tcp(options.url))
    query = querier(options.db) if options.db else None
    different = 0
    for path in options.stories:
        status = send("GET", "/api/auth/setup/status", {}, b"")[2]
        if b'"initialized":false' not in status:
            parser.exit(2, f"{path}: the master is not empty: {status.decode()}\n")
        story = load(path)
        if options.check:
            for difference in replay(story, send, query, folder=options.folder):
                different += 1
                sys.stdout.write(f"{path.name}, {difference}\n")
            continue
        older, story = story, record(story, send, query, options.folder)
        if options.release:
            write(
                path.parent.parent / options.release / path.name,
                unlike(path.parent.name, older, options.release, story),
            )
        else:
            write(path, story)
        seen = Counter(s["response"]["status"] for s in story["steps"] if "response" in s)
        steps = len(story["steps"])
        sys.stdout.write(f"{path.name}: {steps} steps, {dict(sorted(seen.items()))}\n")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
