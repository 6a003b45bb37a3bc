"""What the language knows of fields is what masters show, release by release."""

import json

import pytest
from scenes import scene

from harness.scenario.fields import FIELDS
from harness.target import play_embedded
from harness.verdict import Verdict
from master.protocol.profiles import PROFILES

STORY = """
scenario: Everything is looked at
clauses: [CMD-1]
agents: {alpha: manual}
tasks: {nightly: {agent: alpha}}
steps:
  - heartbeat: alpha
  - run: nightly
    as: backup
  - poll: alpha
    as: cmd
  - update_record: {agent: alpha, record: backup, status: success, logAppend: "a\\n"}
  - result: {agent: alpha, command: cmd}
  - restore: backup
    as: again
  - update_restore: {agent: alpha, restore: again, status: success, logAppend: "a\\n"}
  - expect: {record: backup, status: success}
  - expect: {restore: again, status: success}
  - expect: {task: nightly, name: "${nightly.name}"}
  - expect: {agent: alpha, status: online}
  - expect: {records: {task: nightly}, count: 1}
  - expect: {restores: {task: nightly}, count: 1}
  - expect: {command: cmd, exists: true}
"""
PATHS = {
    "record": "/api/backup/records/1",
    "restore": "/api/restore/records/1",
    "task": "/api/backup/tasks/1",
    "agent": "/api/nodes/2",
    "records": "/api/backup/records",
    "restores": "/api/restore/records",
}


@pytest.mark.parametrize("profile", PROFILES)
def test_every_field_that_is_shown_is_known(profile: str) -> None:
    """So no expectation about one is refused."""
    outcome, history = play_embedded(scene(STORY), PROFILES[profile], 0)
    assert outcome.failure is None
    assert outcome.verdict is Verdict.PASS
    seen: dict[str, set[str]] = {}
    for line in map(json.loads, list(history.lines())[1:]):  # the first is the header
        for subject, path in PATHS.items():
            if line["type"] == "ok" and line["f"].split("?")[0] == f"GET {path}":
                data = line["body"]["data"]
                for item in data if isinstance(data, list) else [data]:
                    seen.setdefault(subject, set()).update(item)

    assert seen.keys() == PATHS.keys()
    for subject, fields in seen.items():
        assert fields <= set(FIELDS[subject]), subject
