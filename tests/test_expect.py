"""What matches what, and how a mismatch is told."""

from typing import Any

import pytest

from harness.expect import matches
from harness.scenario.verbs import MATCHERS

HOLDS: list[tuple[Any, Any]] = [
    (1, 1),
    ("a", "a"),
    (None, None),
    (True, True),
    ({"a": 1}, {"a": 1, "b": 2}),
    ({"a": {"b": [1, {"c": 2}]}}, {"a": {"b": [1, {"c": 2, "d": 3}]}}),
    ({}, {"anything": 1}),
    ([], []),
    ({"not": 1}, 2),
    ({"not": {"contains": "x"}}, "abc"),
    ({"one_of": [1, {"at_least": 5}]}, 7),
    ({"contains": "b"}, "abc"),
    ({"contains": 2}, [1, 2]),
    ({"matches": "^a.c$"}, "abc"),
    ({"at_least": 1}, 1),
    ({"at_most": 1}, 1),
    ({"between": [1, 3]}, 3),
    ({"takes": [600, 631.0]}, 600),
    ({"length": 3}, "abc"),
    ({"length": 0}, []),
    ({"exactly": {"a": 1}}, {"a": 1}),
    ({"a": {"absent": True}}, {}),
    ({"a": {"absent": False}}, {"a": None}),
    ({"json": {"a": 1}}, '{"a": 1, "b": 2}'),
    ({"keys": ["b", "a"]}, {"b": 1, "a": 2}),
    ({"all": {"a": 1}}, [{"a": 1}, {"a": 1, "b": 2}]),
    ({"all": 1}, []),
    ({"any": {"a": 2}}, [{"a": 1}, {"a": 2}]),
    ({"in_order": ["a", "c"]}, "abc"),
]

DOES_NOT: list[tuple[Any, Any]] = [
    (1, True),
    (True, 1),
    (0, False),
    (1, "1"),
    ("a", None),
    ({"a": 1}, {"a": 2}),
    ({"a": 1}, {}),
    ({"a": 1}, None),
    ([1], [1, 2]),
    ([1, 2], [2, 1]),
    ({"not": 1}, 1),
    ({"one_of": [1, 2]}, 3),
    ({"contains": "x"}, "abc"),
    ({"contains": "x"}, None),
    ({"matches": "^b"}, "abc"),
    ({"matches": "b"}, 3),
    ({"at_least": 2}, 1),
    ({"at_least": 2}, "3"),
    ({"at_most": 1}, 2),
    ({"at_most": 1}, True),
    ({"between": [1, 3]}, 4),
    ({"takes": [600, 631.0]}, 599),
    ({"takes": [600, 631.0]}, None),
    ({"length": 3}, "ab"),
    ({"exactly": {"a": 1}}, {"a": 1, "b": 2}),
    ({"exactly": {"a": 1}}, {"a": 2}),
    ({"a": {"absent": True}}, {"a": None}),
    ({"a": {"absent": False}}, {}),
    ({"json": {"a": 1}}, '{"a": 2}'),
    ({"json": {"a": 1}}, "no json"),
    ({"json": {"a": 1}}, None),
    ({"keys": ["a", "b"]}, {"b": 1, "a": 2}),
    ({"all": {"a": 1}}, [{"a": 1}, {"a": 2}]),
    ({"all": {"a": 1}}, None),
    ({"any": {"a": 3}}, [{"a": 1}, {"a": 2}]),
    ({"any": 1}, []),
    ({"in_order": ["c", "a"]}, "abc"),
    ({"in_order": ["a"]}, None),
]


@pytest.mark.parametrize(("expected", "seen"), HOLDS)
def test_holds(expected: Any, seen: Any) -> None:
    """A value that is as said is no mismatch."""
    assert matches(expected, seen) is None


@pytest.mark.parametrize(("expected", "seen"), DOES_NOT)
def test_does_not_hold(expected: Any, seen: Any) -> None:
    """A value that is not as said is one, and both sides are told."""
    mismatch = matches(expected, seen)

    assert mismatch is not None
    assert mismatch.expected
    assert mismatch.seen


@pytest.mark.parametrize("name", MATCHERS)
def test_every_matcher_of_the_language_is_tried_both_ways(name: str) -> None:
    """The tables above leave no matcher out."""
    assert any(name in str(expected) for expected, _ in HOLDS)
    assert any(name in str(expected) for expected, _ in DOES_NOT)


def test_a_mismatch_says_where() -> None:
    """The way to the value is part of the message."""
    mismatch = matches({"data": {"items": [{"id": 1}]}}, {"data": {"items": [{"id": 2}]}})

    assert str(mismatch) == "data.items[0].id: expected 1, seen 2"


@pytest.mark.parametrize(
    ("expected", "seen", "told"),
    [
        ([1, 2, 3], [1, 3], "a list of 2, without [2]"),
        ([1], [1, 4], "a list of 2, with [4]"),
        ([{"a": 1}, {"a": 2}], [{"a": 1}, {"a": 3}, {"a": 4}], 'without [{"a": 2}] and with'),
        ([1], [1, 1], "[1, 1]"),
        ([1], [], "[]"),
        ([1], None, "null"),
    ],
)
def test_a_list_of_another_length_says_what_is_amiss(expected: Any, seen: Any, told: str) -> None:
    """Of a long list nobody finds by reading which item lacks."""
    mismatch = matches(expected, seen)

    assert mismatch is not None
    assert told in mismatch.seen


def test_a_long_value_is_cut() -> None:
    """A message stays readable whatever came."""
    mismatch = matches("a", "b" * 10_000)

    assert mismatch is not None
    assert len(mismatch.seen) < 400
    assert "10002 characters" in mismatch.seen
