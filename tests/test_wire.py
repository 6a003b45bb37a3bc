"""JSON and times are read as leniently, and written as exactly, as Go does both."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise, product
from typing import Any

import pytest
from msgspec import Raw

from master.protocol import times, wire
from master.protocol.messages import HeartbeatAnswer, SelfStatus, TaskSpec
from master.protocol.wire import Binder, BindError, Inbound, Int, Uint
from simulated_agents.rng import fork


class Everything(Inbound):
    """A message with a field of every kind."""

    text: str = ""
    flag: bool = False
    size: Int = 0
    count: Uint = 0
    rawValue: Raw = Raw()  # noqa: N815 - the wire's names
    names: list[str] | None = None
    ids: list[Uint] | None = None
    settings: dict[str, Any] | None = None


bind = Binder(Everything)


def slow(body: bytes) -> Everything:
    """Read a body by the specification alone."""
    return bind._bind(body.decode("utf-8", "replace"))


def seen(read: Callable[[bytes], Everything], body: bytes) -> dict[str, Any]:
    """Return the fields that are not zero, and whether the body was refused."""
    try:
        message, refused = read(body), False
    except BindError as error:
        message, refused = error.partial, True
    zero = Everything()
    fields: dict[str, Any] = {"refused": True} if refused else {}
    for name in Everything.__struct_fields__:
        value = getattr(message, name)
        if name == "rawValue":
            value = bytes(value)
        if value not in (getattr(zero, name), b""):
            fields[name] = value
    return fields


REFUSED = {"refused": True}
DEEP = 200_000

LENIENCY: dict[bytes, dict[str, Any]] = {
    # which bodies there are
    b"": REFUSED,
    b" \t\r\n": REFUSED,
    b"null": {},
    b" null ": {},
    b"{}": {},
    b"\n{ }\n": {},
    b"[]": REFUSED,
    b'"text"': REFUSED,
    b"1": REFUSED,
    b"true": REFUSED,
    b'\xef\xbb\xbf{"text":"a"}': REFUSED,
    b"\x0b{}": REFUSED,
    # syntax errors leave nothing behind
    b'{"text":"a"': REFUSED,
    b'{"text":"a",}': REFUSED,
    b'{"text":"a" "flag":true}': REFUSED,
    b"{'text':'a'}": REFUSED,
    b'{"text":"a","flag":tru}': REFUSED,
    b'{"text":"a","rawValue":01}': REFUSED,
    b'{"text":"a","rawValue":NaN}': REFUSED,
    b'{"text":"a","rawValue":-Infinity}': REFUSED,
    b'{"text":"a","rawValue":.5}': REFUSED,
    b'{"text":"a","rawValue":"\n"}': REFUSED,
    b'{"text":"\\x41"}': REFUSED,
    b'{"text":"a","rawValue":' + b"[" * DEEP: REFUSED,
    b'{"text":"a","rawValue":' + b"[" * DEEP + b"]" * DEEP + b"}": REFUSED,
    b'{"settings":' + b'{"a":' * DEEP + b"1" + b"}" * DEEP + b',"other":1}': REFUSED,
    # what follows the first value does not matter
    b'{"text":"a"}{"text":"b"}': {"text": "a"},
    b'{"text":"a"}}': {"text": "a"},
    b'{"text":"a"}\xff': {"text": "a"},
    b"nullx": {},
    # keys
    b'{"other":1,"text":"a"}': {"text": "a"},
    b'{"other":' + b"9" * 5000 + b',"text":"a"}': {"text": "a"},
    b'{"TEXT":"a"}': {"text": "a"},
    b'{"RAWvalue":1}': {"rawValue": b"1"},
    '{"\u017fize":1}'.encode(): {"size": 1},
    b'{"t\\u0065xt":"a"}': {"text": "a"},
    b'{"text ":"a"}': {},
    b'{"text":"a","text":"b"}': {"text": "b"},
    b'{"text":"a","TEXT":"b"}': {"text": "b"},
    b'{"TEXT":"a","text":"b"}': {"text": "b"},
    # null leaves a field alone, but empties lists and objects
    b'{"text":null,"flag":null,"size":null,"count":null}': {},
    b'{"text":"a","text":null}': {"text": "a"},
    b'{"flag":true,"FLAG":null}': {"flag": True},
    b'{"names":["a"],"names":null}': {},
    b'{"names":["a"],"names":null,"other":1}': {},
    b'{"settings":{"a":1},"SETTINGS":null}': {},
    b'{"rawValue":null}': {"rawValue": b"null"},
    b'{"names":["a",null],"ids":[null,2]}': {"names": ["a", ""], "ids": [0, 2]},
    # a wrong type is an error, and the other fields count
    b'{"flag":"true","text":"a"}': {"refused": True, "text": "a"},
    b'{"flag":1,"text":"a"}': {"refused": True, "text": "a"},
    b'{"flag":{},"text":"a"}': {"refused": True, "text": "a"},
    b'{"text":1,"size":2}': {"refused": True, "size": 2},
    b'{"text":1,"text":"b"}': {"refused": True, "text": "b"},
    b'{"names":"a","text":"a"}': {"refused": True, "text": "a"},
    b'{"names":[1],"text":"a"}': {"refused": True, "text": "a"},
    b'{"settings":[],"text":"a"}': {"refused": True, "text": "a"},
    b'{"size":true,"text":"a"}': {"refused": True, "text": "a"},
    # numbers
    b'{"size":-0}': {},
    b'{"count":-0,"text":"a"}': {"refused": True, "text": "a"},
    b'{"size":1.0,"text":"a"}': {"refused": True, "text": "a"},
    b'{"size":1e3,"text":"a"}': {"refused": True, "text": "a"},
    b'{"size":"12","text":"a"}': {"refused": True, "text": "a"},
    b'{"count":-1,"text":"a"}': {"refused": True, "text": "a"},
    b'{"size":9223372036854775807}': {"size": 2**63 - 1},
    b'{"size":9223372036854775808}': REFUSED,
    b'{"size":-9223372036854775808}': {"size": -(2**63)},
    b'{"size":-9223372036854775809}': REFUSED,
    b'{"count":18446744073709551615}': {"count": 2**64 - 1},
    b'{"count":18446744073709551616}': REFUSED,
    b'{"size":' + b"9" * 5000 + b"}": REFUSED,
    b'{"rawValue":' + b"9" * 5000 + b',"other":1}': {"rawValue": b"9" * 5000},
    # text
    b'{"text":"\xff\xc3"}': {"text": "\ufffd\ufffd"},
    b'{"text":"\\ud800x"}': {"text": "\ufffdx"},
    b'{"text":"\\ud83d\\ude00"}': {"text": "\U0001f600"},
    b'{"text":"\\u0000"}': {"text": "\0"},
    b'{"rawValue":"\xff"}': {"rawValue": b'"\xef\xbf\xbd"'},
    b'{"rawValue":{"\xff":[]}}': {"rawValue": b'{"\xef\xbf\xbd":[]}'},
    # a raw value keeps its own text
    b'{"rawValue": { "b" : 1.50, "a":"\\u0041" } , "other":0}': {
        "rawValue": b'{ "b" : 1.50, "a":"\\u0041" }'
    },
}


@pytest.mark.parametrize("body", LENIENCY, ids=lambda body: ascii(body[:40]))
def test_a_body_is_read_as_go_reads_it(body: bytes) -> None:
    """Each row of the leniency table gives the fields, and the refusal, that Go gives."""
    assert seen(bind, body) == LENIENCY[body]


VALUES = (
    *(b"null", b"true", b"false", b"tru", b"0", b"-0", b"1", b"-1", b"01", b"1.", b"1.0", b"1e3"),
    *(b"+1", b"-", b"1e400", b"9223372036854775808", b"18446744073709551616", b"NaN"),
    *(b'""', b'"a"', b'"\xff"', b'"\\ud800"', b'"\t"', b'"\\/"', b'"\\q"', b'"open'),
    *(b"[]", b"[1]", b"[-0.5]", b"[null]", b'["a",null]', b"[1,]", b"[[]]", b"[1.0]"),
    *(b"{}", b'{"a":1}', b'{"a":{"b":null}}', b'{"\xff":"\xff"}', b'{"a":1,}', b"{1:2}"),
    b"[" * 600 + b"]" * 600,
    b'{"a":' * 100 + b"1" + b"}" * 100,
)


def corpus() -> list[bytes]:
    """Return bodies with every value in every field, and some hundreds of chance ones."""
    bodies = [
        b'{"%s":%s}' % (name.encode(), value)
        for name, value in product(Everything.__struct_fields__, VALUES)
    ]
    draw = fork(20, "bodies")
    for _ in range(600):
        members = b",".join(
            b'"%s":%s' % (draw.choice(Everything.__struct_fields__).encode(), draw.choice(VALUES))
            for _ in range(draw.randrange(4))
        )
        bodies.append(b"{%s}" % members + draw.choice((b"", b" ", b"x", b"{}")))
    return bodies


def test_the_fast_path_and_the_slow_one_agree() -> None:
    """Whatever msgspec accepts means what the reader that is the specification says."""
    different = [body for body in corpus() if seen(bind, body) != seen(slow, body)]

    assert not different


def test_the_fast_path_is_taken() -> None:
    """A plain body never reaches the slow reader."""
    plain = Binder(Everything)
    plain._bind = None  # type: ignore[method-assign, assignment]

    assert plain(b'{"text":"a","size":-1,"rawValue":{"a":[1]}}').size == -1


# --- writing --------------------------------------------------------------------------------

NUMBERS = [
    (0, "0"),
    (-0.0, "-0"),
    (1, "1"),
    (1.0, "1"),
    (100, "100"),
    (1.5, "1.5"),
    (0.1, "0.1"),
    (-2.50, "-2.5"),
    (1e20, "100000000000000000000"),
    (1e21, "1e+21"),
    (123456789012345678901234, "1.2345678901234569e+23"),
    (0.000001, "0.000001"),
    (0.0000001, "1e-7"),
    (1.5e-10, "1.5e-10"),
    (1e100, "1e+100"),
    (2**53 + 1, "9007199254740992"),
    (5e-324, "5e-324"),
]


@pytest.mark.parametrize(("value", "written"), NUMBERS)
def test_a_free_form_number_is_written_as_a_float64(value: float, written: str) -> None:
    """Go reads numbers of a free-form object as float64 and writes them back in its own form."""
    assert wire.canonical({"n": value}) == f'{{"n":{written}}}'


def test_zero_and_minus_zero_are_two_numbers() -> None:
    """What was written before does not change what is written now."""
    assert wire.canonical([0.0, -0.0, 0.0]) == "[0,-0,0]"


def test_free_form_keys_are_sorted_at_every_depth() -> None:
    """A Go map is written in the order of its keys' bytes, everything else in its own order."""
    value: dict[str, Any] = {
        "b": [{"d": 1, "c": True}],
        "a": None,
        "é": "x",
        "Z": {},
        "\U0001f600": 1,
        "ｚ": 2,
    }

    written = wire.canonical(value)

    assert written == '{"Z":{},"a":null,"b":[{"c":true,"d":1}],"é":"x","ｚ":2,"\U0001f600":1}'


ESCAPES = {
    "<b>&": "\\u003cb\\u003e\\u0026",
    "\u2028\u2029": "\\u2028\\u2029",
    "\b\f\n\r\t": "\\b\\f\\n\\r\\t",
    "\0\x1f\x0b": "\\u0000\\u001f\\u000b",
    "\x7f\x80é密\U0001f600": "\x7f\x80é密\U0001f600",
    "\"'\\/": "\\\"'\\\\/",
}


@pytest.mark.parametrize("text", ESCAPES, ids=ascii)
def test_text_is_escaped_as_go_escapes_it(text: str) -> None:
    """Markup and the line separators are escaped in values, in keys and in stored JSON alike."""
    written = wire.encode({text: text, "raw": wire.compact(json.dumps(text, ensure_ascii=False))})

    assert written.decode() == '{{"{0}":"{0}","raw":"{0}"}}'.format(ESCAPES[text])


def test_stored_json_loses_its_white_space_and_nothing_else() -> None:
    """Numbers, escapes, order and doubled keys of a stored payload stay as they are."""
    stored = ' { "b" : 1.50 ,\n"a":[ 1e3, "\\u0041 b" ], "b":-0 } '

    assert bytes(wire.compact(stored)) == b'{"b":1.50,"a":[1e3,"\\u0041 b"],"b":-0}'


@pytest.mark.parametrize("stored", ["", "{", "nul", "1 2"])
def test_stored_text_that_is_no_json_is_refused(stored: bytes | str) -> None:
    """A payload that somebody damaged raises ValueError."""
    with pytest.raises(ValueError, match=r".+"):
        wire.compact(stored)


def test_a_field_with_its_zero_is_left_out() -> None:
    """A field with a default is written only when it differs; a required one always is."""
    spec = TaskSpec(
        taskId=0, name="", type="", dbPort=0, dbName="x", compression="", encrypt=False,
        storageTargets=[],
    )  # fmt: skip

    assert wire.encode(spec) == (
        b'{"taskId":0,"name":"","type":"","dbName":"x","compression":"","encrypt":false,'
        b'"storageTargets":[]}'
    )


def test_keys_stand_in_the_order_of_declaration() -> None:
    """However a message is made, its keys have one order."""
    answer = HeartbeatAnswer(status="ok", nodeId=7, name="a")
    status = SelfStatus(lastSeen="t", status="online", name="a", id=7)

    assert wire.encode(answer) == b'{"name":"a","nodeId":7,"status":"ok"}'
    assert wire.encode(status) == b'{"id":7,"name":"a","status":"online","lastSeen":"t"}'


# --- times ----------------------------------------------------------------------------------

BASE_NS = 1_767_225_600 * times.NS
TEXTS = {
    (BASE_NS, 0): "2026-01-01 00:00:00+00:00",
    (BASE_NS + 1, 0): "2026-01-01 00:00:00.000000001+00:00",
    (BASE_NS + 100_000_000, 0): "2026-01-01 00:00:00.1+00:00",
    (BASE_NS + 120_034_000, 0): "2026-01-01 00:00:00.120034+00:00",
    (BASE_NS - 1, 0): "2025-12-31 23:59:59.999999999+00:00",
    (BASE_NS, 3600): "2026-01-01 01:00:00+01:00",
    (BASE_NS + 10, -12_600): "2025-12-31 20:30:00.00000001-03:30",
    (BASE_NS, 20_700): "2026-01-01 05:45:00+05:45",
    (-1, 0): "1969-12-31 23:59:59.999999999+00:00",
    (0, 0): "1970-01-01 00:00:00+00:00",
}


@pytest.mark.parametrize("instant", TEXTS, ids=str)
def test_an_instant_is_written_without_trailing_zeros(instant: tuple[int, int]) -> None:
    """The database's text has up to nine digits and the offset it was written at."""
    assert times.db_text(*instant) == TEXTS[instant]


@pytest.mark.parametrize("instant", TEXTS, ids=str)
def test_an_instant_survives_its_text(instant: tuple[int, int]) -> None:
    """To text and back, in the database's form and on the wire, no nanosecond is lost."""
    text = times.db_text(*instant)

    assert times.parse(text) == times.parse(times.wire_text(text)) == instant[0]


def test_text_order_is_time_order() -> None:
    """At one offset, stored times compare as text: SQL relies on it at every threshold."""
    draw = fork(3, "instants")
    steps = [0, 1, 9, 10, 99, 100_000_000, 120_000_000, 999_999_999, times.NS, 86_400 * times.NS]
    instants = sorted({BASE_NS + step for step in steps} | {
        BASE_NS + draw.randrange(400 * 86_400 * times.NS) // 10 ** draw.randrange(9) for _ in range(500)
    })  # fmt: skip
    texts = [times.db_text(instant) for instant in instants]

    assert all(earlier < later for earlier, later in pairwise(texts))


def test_text_agrees_with_the_calendar() -> None:
    """Seconds since the epoch become the date that Python's own calendar says."""
    for day in range(0, 40_000, 37):
        instant = day * 86_400 + 3_661
        expected = datetime.fromtimestamp(instant, UTC).isoformat(" ")

        assert times.db_text(instant * times.NS) == expected


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ("2026-01-01 00:00:00+00:00", "2026-01-01T00:00:00Z"),
        ("2026-01-01 00:00:00.5+00:00", "2026-01-01T00:00:00.5Z"),
        ("2026-01-01 05:45:00.25+05:45", "2026-01-01T05:45:00.25+05:45"),
        ("2026-01-01 00:00:00-03:30", "2026-01-01T00:00:00-03:30"),
        (times.ZERO_DB_TEXT, "0001-01-01T00:00:00Z"),
    ],
)
def test_the_wire_shows_rfc_3339(stored: str, shown: str) -> None:
    """UTC is a Z, every other offset stays."""
    assert times.wire_text(stored) == shown


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-01-01",
        "2026-01-01 00:00:00",
        "2026-01-01 00:00:00.5",
        "2026-01-01 00:00:00+0000",
        "2026-01-01 00:00:00.x+00:00",
        "2026-01-01 00:00:00.٣+00:00",
        "2026-02-30 00:00:00+00:00",
        "2026-01-01_00:00:00+00:00",
        "2026-01-01 24:00:01+00:00",
    ],
)
def test_a_time_without_an_offset_is_refused(text: str) -> None:
    """A text that is no whole time never becomes an instant."""
    with pytest.raises(ValueError, match=re.compile(r".")):
        times.parse(text)


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("db", '"db"'),
        ("", '""'),
        ("数据库 é", '"数据库 é"'),
        ('a"b\\c', r'"a\"b\\c"'),
        ("\a\b\f\n\r\t\v", r'"\a\b\f\n\r\t\v"'),
        ("\x00\x1b\x7f\x85\xa0", r'"\x00\x1b\x7f\u0085\u00a0"'),
        ("\u200b\u2028\U000e0001", r'"\u200b\u2028\U000e0001"'),
    ],
)
def test_a_quoted_text_is_as_go_writes_it(text: str, quoted: str) -> None:
    """What can be printed stays; the rest is escaped by the shortest way that Go has."""
    assert wire.quoted(text) == quoted
