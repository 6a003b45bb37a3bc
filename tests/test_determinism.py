"""The same seed gives the same history, byte for byte, in any process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import trio
import trio._core._run as trio_run
from scenes import play_text

from harness.determinism import seeded_scheduler

STORY = """
scenario: Agents of many kinds poll, crash and report
clauses: [CMD-4]
clocks: [virtual]
because: it looks at all commands there are
agents:
  crowd: {count: 6, behaviour: prompt}
  shaky: {count: 3, behaviour: crashing, at: working, restart_after: 20s}
  twice: {behaviour: duplicating}
  pair: {behaviour: cloned}
tasks:
  one: {agent: crowd-1}
  two: {agent: shaky-1}
  three: {agent: twice}
  four: {agent: pair}
steps:
  - wait: 20s
  - together:
      - run: one
      - run: two
      - run: three
      - run: four
  - wait: 12m
  - expect: {commands: {}, where: {status: pending}, count: 0}
"""

SCRIPT = f"""
import sys
from scenes import play_text
_, history = play_text({STORY!r}, seed=int(sys.argv[1]))
sys.stdout.buffer.write(b"".join(history.lines()))
"""


def history_of(seed: int, hash_seed: str) -> bytes:
    root = Path(__file__).parent.parent
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": f"{root}:{root}/tests"}
    command = [sys.executable, "-c", SCRIPT, str(seed)]
    return subprocess.run(
        command, cwd=root, env=environment, check=True, capture_output=True
    ).stdout


def test_one_seed_gives_one_history_in_every_process() -> None:
    """Fresh processes under different hash seeds agree byte for byte."""
    histories = {history_of(7, hash_seed) for hash_seed in ("0", "1", "4242")}

    assert len(histories) == 1
    assert len(next(iter(histories)).splitlines()) > 1_000


def test_another_seed_gives_another_history() -> None:
    """A seed decides something: otherwise the test above would show nothing."""
    first, second = (play_text(STORY, seed=seed)[1] for seed in (1, 2))

    assert b"".join(first.lines()) != b"".join(second.lines())


def test_histories_of_restarts_streams_and_crons_are_the_same(tmp_path: Path) -> None:
    """What is killed, streamed and scheduled comes out the same in every process, too."""
    root = Path(__file__).parent.parent
    folders = ("durability", "relay", "events", "scheduler")
    paths = [path for name in folders if (path := root / "scenarios" / name).is_dir()]
    written = []
    for hash_seed in ("0", "4242"):
        out = tmp_path / hash_seed
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        command = [sys.executable, "-m", "harness", "run", "--profile", "2.4", "--history", out]
        subprocess.run([*command, *paths], cwd=root, env=environment, check=False)
        written.append({one.relative_to(out): one.read_bytes() for one in out.rglob("*.jsonl")})

    assert len(written[0]) > 5
    assert written[0] == written[1]


def order_of_tasks(seed: int) -> list[int]:
    order: list[int] = []

    async def task(number: int) -> None:
        order.append(number)
        await trio.lowlevel.checkpoint()

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            for number in range(20):
                nursery.start_soon(task, number)

    with seeded_scheduler(seed):
        trio.run(main)
    return order


def test_a_seed_decides_the_order_of_ready_tasks() -> None:
    """Twenty tasks ready at one moment run in an order that the seed alone decides."""
    assert order_of_tasks(1) == order_of_tasks(1)
    assert len({tuple(order_of_tasks(seed)) for seed in range(10)}) > 5


def test_the_scheduler_is_left_as_it_was() -> None:
    """Other runs of trio in the same process are not affected."""
    before = (trio_run._r, trio_run._ALLOW_DETERMINISTIC_SCHEDULING)

    order_of_tasks(1)

    assert (trio_run._r, trio_run._ALLOW_DETERMINISTIC_SCHEDULING) == before


def test_an_unknown_trio_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """When trio renames its private parts, the message says which releases are known."""
    monkeypatch.delattr(trio_run, "_r")

    with pytest.raises(RuntimeError, match=r"install one of those"), seeded_scheduler(1):
        pass
