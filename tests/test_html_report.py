"""The HTML report as a file: what it holds, what it cannot do, and that it is the same each time."""

import base64
import hashlib
import html
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner
from pages import ATTACK, FAILING, HOSTILE, LONG, PASSING, Hostile, Page, report

from harness.commands.run import run
from harness.reports.html import PAGE, SCRIPTS
from harness.reports.packing import CHUNK_LENGTH, Texts, pack
from harness.verdict import Exit
from master.protocol.profiles import PROFILES

LOADS = {"src", "srcset", "href", "action", "formaction", "data", "poster", "background", "ping"}
"""Attributes that make a browser fetch something, or take a reader elsewhere."""


@pytest.fixture
def mixed(tmp_path: Path) -> Page:
    """The report of a run with a scenario that passes, one that fails, and one with an attack."""
    text, _ = report(tmp_path / "r.html", PASSING, FAILING, ATTACK, make_master=Hostile)
    return Page(text)


def test_the_file_needs_nothing_else(mixed: Page) -> None:
    """Nothing in it names another file or a host: every link stays in the page."""
    links = [
        value or ""
        for _, attributes in mixed.elements
        for name, value in attributes.items()
        if name in LOADS
    ]

    assert len(links) > 20
    assert {link for link in links if not link.startswith("#")} == {"data:,"}
    assert not re.search(r"url\(|@import|@font-face", mixed.styles[0])
    assert not any(attributes.get("type") == "module" for attributes, _ in mixed.scripts)


def test_the_policy_lets_only_the_pages_own_scripts_run(mixed: Page) -> None:
    """It stands before them, names each by its hash, and allows nothing else at all."""
    names = [name for name, _ in mixed.elements]
    (policy,) = [
        attributes["content"]
        for _, attributes in mixed.elements
        if attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    parts = dict(part.strip().split(" ", 1) for part in (policy or "").split(";"))
    running = [text for attributes, text in mixed.scripts if "type" not in attributes]

    assert names.index("meta") < names.index("style") < names.index("script")
    assert parts["default-src"] == "'none'"
    assert parts["script-src"].split() == [sha256(text) for text in running]
    assert parts["style-src"] == sha256(mixed.styles[0])
    assert len(running) == len(SCRIPTS)
    assert "unsafe" not in (policy or "")


def sha256(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_no_element_has_a_handler_or_a_style_of_its_own(mixed: Page) -> None:
    """The policy would refuse them, and text that broke out would need them."""
    attributes = {name for _, found in mixed.elements for name in found}

    assert not {name for name in attributes if name.startswith("on")} | (attributes & {"style"})


def test_hostile_texts_stay_texts(mixed: Page) -> None:
    """No element, script or comment comes of what a master answers or a scenario says."""
    ours = {name for name, _ in mixed.elements}

    assert not ours & {"img", "svg", "b2", "iframe", "object"}
    assert "such </script><img src=x onerror=alert(1)> thing" in mixed.text
    assert "It says <b>what</b> it shows" in mixed.text
    assert {attributes.get("type") for attributes, _ in mixed.scripts} == {None, "text/plain"}
    assert not re.search("[\u202e\u202c\x1b\x00]", mixed.text)


def test_every_byte_of_an_answer_is_there(mixed: Page) -> None:
    """Hostile and long ones are kept whole, in chunks that hold nothing but base64."""
    answers = {row["request"]: row["answer"] for row in mixed.rows(2) if row["request"]}
    chunks = [text for attributes, text in mixed.scripts if attributes.get("id")]

    assert json.loads(answers["GET /hostile/json"]) == {HOSTILE: [HOSTILE]}
    assert answers["GET /hostile/text"] == HOSTILE + "�\0"
    assert answers["POST /hostile/long"] == LONG
    assert all(re.fullmatch("[A-Za-z0-9+/]+=*", chunk) for chunk in chunks)


def test_verdict_failures_and_clauses_need_no_javascript(mixed: Page) -> None:
    """They are markup: what was broken, where, what was expected and seen, and how to replay it."""
    text = " ".join(mixed.text.split())
    rows = {attributes.get("id"): attributes for name, attributes in mixed.elements if name == "tr"}

    assert "✕ FAIL a MUST clause is broken" in text
    assert "Play it again muster run --seed 0" in text
    assert text.index("Play it again") < text.index("TMO-3 MUST When a run's command times out")
    assert 'Expectedrecord.status: "success"' in text
    assert 'Seen"failed"' in text
    assert "alpha invoke poll" in text
    assert rows["c-TMO-3"]["data-verdict"] == "FAIL"
    assert rows["c-CMD-5"]["data-verdict"] == "PASS"
    assert rows["s-1"]["data-verdict"] == "FAIL"
    assert "noscript" in {name for name, _ in mixed.elements}


def folder_of(tmp_path: Path) -> Path:
    folder = tmp_path / "scenarios"
    folder.mkdir()
    (folder / "good.yaml").write_text(PASSING)
    (folder / "bad.yaml").write_text(FAILING)
    return folder


def test_the_page_holds_the_whole_history(tmp_path: Path) -> None:
    """Every operation of the history, in order, with its request, its answer and its time."""
    folder = folder_of(tmp_path)
    arguments = [folder / "good.yaml", "--html", tmp_path / "r.html", "--history", tmp_path]
    CliRunner().invoke(run, [str(one) for one in arguments], standalone_mode=False)
    _, *lines = map(json.loads, (tmp_path / "good.jsonl").read_text().splitlines())
    rows = [row for row in Page((tmp_path / "r.html").read_text()).rows() if row["op"] >= 0]
    invokes = [line for line in lines if line["type"] == "invoke"]
    ends = {line["invoke"]: line for line in lines if "invoke" in line}
    notes = [line for line in lines if "note" in line and "f" not in line]

    assert len(invokes) >= 10
    assert [row["op"] for row in rows] == sorted(one["index"] for one in (*invokes, *notes))
    by_op = {row["op"]: row for row in rows}
    for line in invokes:
        row, end = by_op[line["index"]], ends[line["index"]]
        assert (row["request"], row["lane"]) == (line["request"], line["process"])
        assert row["time_s"] == round(line["time"], 6)
        assert json.loads(row["body"] or "null") == line["body"]
        assert (row["status"], row["type"]) == (end["status"], end["type"])
        assert json.loads(row["answer"] or "null") == end["body"]


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    """But for how long the run took, which stands in one place."""
    folder = folder_of(tmp_path)
    pages = []
    for name in ("one.html", "two.html"):
        arguments = [str(folder), "--seed", "7", "--html", str(tmp_path / name)]
        CliRunner().invoke(run, arguments, standalone_mode=False)
        text = (tmp_path / name).read_text()
        pages.append(re.sub(r'<span id="took">[0-9.]+ s</span>', "", text))

    assert pages[0] == pages[1]
    assert "seed <b>7</b>" in pages[0]
    assert f"<code>muster run {folder} --clock virtual --profile 2.0 --seed 7</code>" in pages[0]


def test_the_terminal_says_where_the_report_is(tmp_path: Path) -> None:
    """After the verdict."""
    file = tmp_path / "r.html"
    result = CliRunner().invoke(
        run, [str(folder_of(tmp_path)), "--html", str(file)], standalone_mode=False
    )

    assert result.return_value == Exit.VIOLATION
    assert result.output.endswith(f"report: {file}\n")


def test_a_file_that_cannot_be_written_is_told_before_the_run(tmp_path: Path) -> None:
    """Exit 4, and nothing is played."""
    file = tmp_path / "nowhere" / "r.html"
    result = CliRunner().invoke(
        run, [str(folder_of(tmp_path)), "--html", str(file)], standalone_mode=False
    )

    assert getattr(result.exception, "code", None) == Exit.USAGE
    assert f"{file} cannot be written" in str(result.exception)
    assert result.output == ""


def test_each_profile_has_a_page_of_its_own(tmp_path: Path) -> None:
    """Named after it, with its own verdict; the terminal names them all."""
    folder = folder_of(tmp_path)
    arguments = [str(folder / "good.yaml"), "--profile", "all", "--html", str(tmp_path / "r.html")]
    result = CliRunner().invoke(run, arguments, standalone_mode=False)
    pages = [tmp_path / f"r-{profile}.html" for profile in PROFILES]

    assert [line for line in result.output.splitlines() if line.startswith("report: ")] == [
        f"report: {page}" for page in pages
    ]
    assert all(
        f"Profile <b>{profile}</b>" in page.read_text()
        for profile, page in zip(PROFILES, pages, strict=True)
    )
    assert not (tmp_path / "r.html").exists()


def test_the_command_to_play_it_again_names_what_decides(tmp_path: Path) -> None:
    """Every option that was given, but for those that only say where to write."""
    folder = folder_of(tmp_path)
    file = tmp_path / "r.html"
    options = ["--clause", "CMD-*", "--strict", "--seed", "5", "--json", str(tmp_path / "r.json")]
    arguments = [str(folder), *options, "--html", str(file)]
    CliRunner().invoke(run, arguments, standalone_mode=False)
    (command,) = re.findall("Play it again</b>.*?<code>(.*?)</code>", file.read_text())

    assert html.unescape(command) == (
        f"muster run {folder} --clock virtual --profile 2.0 --clause 'CMD-*' --seed 5 --strict"
    )


def test_a_known_failure_stands_apart(tmp_path: Path) -> None:
    """It is no failure of the run, and its reason is told."""
    folder = folder_of(tmp_path)
    (folder / "known-failures.toml").write_text(
        '[[known]]\nscenario = "bad"\nreason = "nobody needs it"\n'
    )
    file = tmp_path / "r.html"
    result = CliRunner().invoke(run, [str(folder), "--html", str(file)], standalone_mode=False)
    page = Page(file.read_text())

    assert result.return_value == Exit.OK, result.output
    assert "1 fail as listed" in page.text
    assert "nobody needs it" in page.text
    assert "failures" not in {attributes.get("id") for _, attributes in page.elements}


def test_the_shortest_failure_stands_first(tmp_path: Path) -> None:
    """It says most; the order of the files is kept in the table."""
    longer = FAILING.replace("  - heartbeat: alpha\n", "  - heartbeat: alpha\n" * 5)
    text, _ = report(tmp_path / "r.html", longer, FAILING, FAILING + "  - heartbeat: alpha\n")
    page = Page(text)

    assert re.findall(r'<h3 id="f-(\d)">', text) == ["1", "2", "0"]
    assert [one["data-id"] for name, one in page.elements if one.get("data-id")] == [
        *("s0", "s1", "s2")
    ]


def test_a_skipped_scenario_has_no_lanes(tmp_path: Path) -> None:
    """It is listed with its reason, and leads nowhere."""
    text, _ = report(tmp_path / "r.html", PASSING.replace("agents:", "profiles: [strict]\nagents:"))
    page = Page(text)

    assert "applies to profile strict" in page.text
    assert page.packed("t-") == []
    assert not any(attributes.get("data-rows") for _, attributes in page.elements)


def test_texts_are_cut_into_chunks() -> None:
    """Each text stands once, whole, in the chunk that its number says."""
    texts = Texts()
    long = ["a" * (CHUNK_LENGTH - 1), "b", "c" * (CHUNK_LENGTH * 3), "d"]
    numbers = [texts.add(text) for text in (*long, "b", *long)]
    starts, chunks = texts.chunks()

    assert numbers == [0, 1, 2, 3, 1, 0, 1, 2, 3]
    assert starts == [0, 2, 3]
    assert chunks == [pack(long[:2]), pack(long[2:3]), pack(long[3:])]


def test_a_packed_value_does_not_say_when_it_was_packed() -> None:
    """The field of gzip for it is empty, so that the bytes are the same a second later."""
    assert base64.b64decode(pack(["x"]))[4:8] == bytes(4)


def test_half_a_surrogate_pair_can_be_packed() -> None:
    """It is no text that UTF-8 can hold, so it is written out."""
    texts = Texts()

    assert texts[texts.add("a\ud800")] == "a\\ud800"


def test_every_file_of_the_page_is_put_in() -> None:
    """None is forgotten in the list of scripts."""
    assert {path.name for path in PAGE.iterdir()} == {"report.html", "style.css", *SCRIPTS}


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
@pytest.mark.parametrize("name", SCRIPTS)
def test_the_scripts_are_javascript(name: str) -> None:
    """As `node --check` sees it; the browser tests run them."""
    done = subprocess.run(
        ["node", "--check", str(PAGE / name)], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
