"""Files that are not YAML, not plain YAML, or not text at all."""

from pathlib import Path
from typing import Any

import pytest
from stories import (
    BEHAVIOURS,
    CLAUSES,
    HEAD,
    MARK,
    START,
    TAIL,
    check_mistake,
    mistakes,
    read,
)

from harness.scenario.errors import ScenarioErrors
from harness.scenario.loader import load

WRITE_OUT = "write the value out: a scenario is read from top to bottom"
CLEAR = "expected a value that is clearly text, a number, true, false or null, got"


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (
            TAIL + START + "«scenario: b\n",
            "expected each key once, got 'scenario' again",
            "the first is in line 2",
        ),
        ("a: «&x b\n", "expected a value, got an anchor (&)", WRITE_OUT),
        ("a: «*x\n", "expected a value, got an alias (*)", WRITE_OUT),
        ("a: «!!str b\n", "expected a value, got a YAML tag", WRITE_OUT),
        ("a: «!x [b]\n", "expected a value, got a YAML tag", WRITE_OUT),
        ("«<<: {a: b}\n", "expected a key, got the merge key <<", WRITE_OUT),
        ("? «[a]\n: b\n", "expected text as a key, got a list", None),
        ("a: b\n«---\nc: d\n", "expected one scenario a file, got a second document", None),
        ("%YAML 1.1\n«---\na: b\n", "expected a scenario, got a YAML directive", None),
        (
            "a:\n«\t- b\n",
            r"YAML: found character '\t' that cannot start any token (while scanning for the next token)",
            "indent with spaces, YAML takes no tabs",
        ),
        ("a: b«: c\n", "YAML: mapping values are not allowed here", None),
        (
            "a: 'b\n«",
            "YAML: found unexpected end of stream (while scanning a quoted scalar)",
            None,
        ),
        ("a: b«\x01\n", "YAML: a character that YAML does not allow", None),
        (
            '«a: "\\UFFFFFFFF"\n',
            "expected YAML, got an escape or a directive behind this that means nothing",
            None,
        ),
        (
            "a: " + "[" * 31 + "«[" + "]" * 32,
            "expected at most 32 mappings and lists inside one another",
            None,
        ),
        ("«", "expected a scenario, got an empty file", None),
        ("«# nothing\n", "expected a scenario, got an empty file", None),
        ("«---\n", "expected a scenario, got an empty file", None),
    ],
)
def test_mistake_in_the_yaml(tmp_path: Path, text: str, message: str, hint: str | None) -> None:
    """What is not plain YAML is refused where it stands, with no traceback."""
    before = text.partition(MARK)[0].split("\n")
    error = mistakes(tmp_path, text.replace(MARK, ""))[0]

    assert (error.message, error.hint) == (message, hint)
    assert (error.place.line, error.place.column) == (len(before), len(before[-1]) + 1)


@pytest.mark.parametrize(
    "word",
    [
        "yes",
        "No",
        "ON",
        "off",
        "~",
        "True",
        "NULL",
        "007",
        "0x1F",
        "0o7",
        "1_000",
        ".5",
        "5.",
        "+5",
        ".inf",
        "-.NaN",
        "1e999",
        "9" * 41,
    ],
)
def test_word_that_versions_of_yaml_disagree_about_is_refused(tmp_path: Path, word: str) -> None:
    """An unquoted word that is text to some and not to others must be quoted."""
    check_mistake(
        tmp_path,
        f"{HEAD}  - heartbeat: {{agent: alpha, hostname: «{word}}}\n",
        f"{CLEAR} {word}",
        f'write "{word}" if text is meant',
    )


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("0", 0),
        ("-12", -12),
        ("1.50", 1.5),
        ("1e3", 1000.0),
        ("18446744073709551616", 2**64),
        ("true", True),
        ("null", None),
        ("12:30", "12:30"),
        ("2026-01-02", "2026-01-02"),
        ('"007"', "007"),
        ("'yes'", "yes"),
        ("x-1", "x-1"),
    ],
)
def test_scalars_mean_what_they_look_like(tmp_path: Path, written: str, value: Any) -> None:
    """Numbers are numbers, quoted text is text, dates are no dates."""
    step = read(tmp_path, f"{HEAD}  - heartbeat: {{agent: alpha, hostname: {written}}}\n").steps[2]

    assert step.args["hostname"] == value
    assert type(step.args["hostname"]) is type(value)


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    """A file in another encoding is refused at its first foreign byte."""
    (error,) = mistakes(tmp_path, b"scenario: a\nclauses: caf\xe9\n")

    assert error.message == "expected UTF-8, got the byte 0xe9"
    assert (error.place.line, error.place.column) == (2, 13)


def test_file_that_cannot_be_read(tmp_path: Path) -> None:
    """A missing file and a folder are errors that say so."""
    with pytest.raises(ScenarioErrors, match="No such file or directory"):
        load(tmp_path / "none.yaml", tmp_path, CLAUSES, BEHAVIOURS)
    with pytest.raises(ScenarioErrors, match="Is a directory"):
        load(tmp_path, tmp_path, CLAUSES, BEHAVIOURS)


def test_file_that_is_too_long(tmp_path: Path) -> None:
    """A file beyond the limit is not read."""
    (error,) = mistakes(tmp_path, HEAD + "#" * 1_048_576)

    assert error.message == "expected a file of at most 1048576 bytes, got a longer one"


def test_other_ending_is_refused(tmp_path: Path) -> None:
    """A file that a folder's scenarios would leave out is not read alone either."""
    (error,) = mistakes(tmp_path, HEAD, "story.yml")

    assert error.message == "expected a file that ends in .yaml, got 'story.yml'"
