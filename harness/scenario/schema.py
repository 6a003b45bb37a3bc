"""The JSON Schema of scenario files, for editors; the loader checks what a schema cannot.

`python -m harness.pages` writes `docs/scenario.schema.json`.
"""

import json
from collections.abc import Iterable
from collections.abc import Mapping as Table
from pathlib import Path
from typing import Any, Final, TypeAlias

from harness.scenario.cases import CASE_KEYS, CASE_NAME, CASES_MAX
from harness.scenario.declarations import (
    AGENT_KEYS,
    BY_STEPS,
    CHOICE,
    COUNT_MAX,
    OUTCOMES,
    SIZE_MAX,
    TARGET_KEYS,
    TASK_KEYS,
    WORK_KEYS,
)
from harness.scenario.durations import LITERAL, MASTER_TIMERS, TIMERS
from harness.scenario.header import CLOCKS, KNOWN_PROFILES, REQUIRED, SENTENCE_MAX, TOP_KEYS
from harness.scenario.references import NAME
from harness.scenario.steps import TIMES_MAX
from harness.scenario.verbs import (
    ANSWER_FIELDS,
    CALL_KEYS,
    EXISTS,
    LIST_FIELDS,
    LISTS,
    LOSABLE,
    MATCHERS,
    STEP_KEYS,
    SUBJECTS,
    VERBS,
    Kind,
    Verb,
)
from simulated_agents.releases import RELEASES

SCHEMA_PATH: Final = Path(__file__).parents[2] / "docs" / "scenario.schema.json"
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

Schema: TypeAlias = dict[str, Any]

_REFERENCE: Final = r"\$\{[^}]+\}"
_NAME: Final = f"^{NAME.pattern}$"
_NAME_OR_REFERENCE: Final = f"^({NAME.pattern}|{_REFERENCE})$"
_CLAUSE: Final = "^[A-Z]{2,4}-[0-9]+$"
_TERM: Final = f"({LITERAL}|{'|'.join(TIMERS)})"


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _sum_of(term: str) -> Schema:
    return {"type": "string", "pattern": rf"^\s*{term}(\s*[+-]\s*{term})*\s*$"}


def _list_of(items: Schema, least: int = 1, **further: Any) -> Schema:
    return {"type": "array", "items": items, "minItems": least, **further}


def _strict(properties: Schema, required: Iterable[str] = (), **further: Any) -> Schema:
    # What is required comes first: it is what tells branches apart, at little cost.
    return {
        "type": "object",
        "required": list(required),
        "properties": properties,
        "additionalProperties": False,
        **further,
    }


def _described(helps: Table[str, str], schemas: Schema) -> Schema:
    """Return properties with what the tables of the language say about them."""
    return {name: {"description": text, **schemas.get(name, {})} for name, text in helps.items()}


_NAMED: Final[Schema] = {
    "anyOf": [{"type": "string", "pattern": _NAME_OR_REFERENCE}, {"type": "integer"}]
}

_KINDS: Final[dict[Kind, Schema]] = {
    Kind.AGENT: {"type": "string", "pattern": _NAME_OR_REFERENCE},
    Kind.TASK: _NAMED,
    Kind.TARGET: _NAMED,
    Kind.COMMAND: _NAMED,
    Kind.RECORD: _NAMED,
    Kind.RESTORE: _NAMED,
    Kind.ANSWER: {"type": "string", "pattern": _NAME},
    Kind.FEED: {"type": "string", "pattern": _NAME},
    Kind.MOMENT: {"type": "string", "pattern": _NAME},
    Kind.PATH: {"type": "string", "pattern": r"^\$\{scratch\}"},
    Kind.FILES: {"type": "object"},
    Kind.TEXT: {"type": "string"},
    Kind.NUMBER: {"type": "number"},
    Kind.FLAG: {"type": "boolean"},
    Kind.DURATION: _ref("duration"),
    Kind.JSON: {},
    Kind.MAPPING: {"type": "object"},
    Kind.MATCHERS: _ref("look"),
    Kind.STEPS: _ref("steps"),
    Kind.LIST: {"anyOf": [_list_of({}), {"type": "string", "pattern": f"^{_REFERENCE}$"}]},
}


# --- expectations -----------------------------------------------------------------------------

_NUMBER_OR_REFERENCE: Final[Schema] = {
    "anyOf": [{"type": "number"}, {"type": "string", "pattern": f"^{_REFERENCE}$"}]
}

_ARGUMENTS: Final[dict[str, Schema]] = {
    "one_of": _list_of(_ref("value")),
    "matches": {"type": "string"},
    "at_least": _NUMBER_OR_REFERENCE,
    "at_most": _NUMBER_OR_REFERENCE,
    "between": _list_of(_NUMBER_OR_REFERENCE, 2, maxItems=2),
    "length": {"type": "integer", "minimum": 0},
    "exactly": {"type": "object"},
    "absent": {"type": "boolean"},
    "keys": _list_of({"type": "string"}, 0),
    "in_order": _list_of({"type": "string"}),
}
"""What matchers take that do not take a value of any kind."""

_TAKES: Final = _list_of(_ref("duration"), 2, maxItems=2)


def _value() -> Schema:
    """Return the schema of what one value must be: itself, or a matcher."""
    properties = _described(MATCHERS, {"takes": _TAKES})
    for name in MATCHERS:
        if name != "takes":
            properties[name].update({} if name in _ARGUMENTS else _ref("value"))
    return {
        "description": "A value matches itself, a mapping key by key, a matcher as it says.",
        "properties": properties,
        "additionalProperties": _ref("value"),
        "items": _ref("value"),
        "if": {"type": "object", "minProperties": 1, "maxProperties": 1},
        "then": {"properties": _ARGUMENTS},
    }


def _answer() -> Schema:
    value = _ref("value")
    fields = _described(ANSWER_FIELDS, dict.fromkeys(ANSWER_FIELDS, value))
    return _strict(fields, minProperties=1)


def _look() -> Schema:
    value = _ref("value")
    several = _described(LIST_FIELDS, dict.fromkeys(LIST_FIELDS, value))
    several["every"] |= _ref("duration")
    several["in_order"] = {"description": LIST_FIELDS["in_order"], **_list_of(value)}
    branches = []
    for subject, kind in SUBJECTS.items():
        own: Schema = {subject: _KINDS[kind]}
        if subject in LISTS:
            own |= several
            branches.append(_strict(own, [subject], minProperties=2))
            continue
        others = {name: False for name in SUBJECTS if name != subject}
        own |= {EXISTS: {"type": "boolean"}, **others}
        branch = _strict(own, [subject], minProperties=2)
        branches.append({**branch, "additionalProperties": value})
    return {"description": "One thing to look at, and what it must be.", "anyOf": branches}


# --- steps ------------------------------------------------------------------------------------


def _verb(name: str, verb: Verb) -> Schema:
    """Return the schema of what stands behind a verb."""
    properties = {key: _KINDS[kind] for key, kind in verb.keys.items()}
    if name == "answer":
        properties["expect"] = _ref("answer")
    if verb.short is not None and verb.keys[verb.short] is Kind.MATCHERS:
        return {"description": verb.help, **properties[verb.short]}
    long = _strict(properties, verb.required)
    if verb.open:
        inside = [key for key in (*CALL_KEYS, *STEP_KEYS) if key != "token"]
        long["properties"] = {**properties, **dict.fromkeys(inside, False)}
        long["additionalProperties"] = True
    if name in {"delete", "master_clock"}:
        long.update(minProperties=1, maxProperties=1)
    if verb.short is None or tuple(verb.required) != (verb.short,):
        return {"description": verb.help, **long}
    return {"description": verb.help, "anyOf": [properties[verb.short], long]}


def _step() -> Schema:
    beside = {
        "as": {"type": "string", "pattern": _NAME},
        "expect": _ref("answer"),
        "background": {"type": "boolean"},
        "times": {"type": "integer", "minimum": 1, "maximum": TIMES_MAX},
        "token": {"type": "string"},
        "lose": {"enum": list(LOSABLE)},
    }
    assert beside.keys() == CALL_KEYS.keys()
    clauses = {"clauses": _list_of(_ref("clause"), uniqueItems=True)}
    assert clauses.keys() == STEP_KEYS.keys()
    branches = [
        _strict({name: _verb(name, verb), **(beside if verb.call else {}), **clauses}, [name])
        for name, verb in VERBS.items()
    ]
    return {"description": "One verb, and what belongs beside it.", "anyOf": branches}


# --- the file ---------------------------------------------------------------------------------


def _option(kind: str) -> Schema:
    if kind.startswith(CHOICE):
        return {"enum": kind.removeprefix(CHOICE).split("|")}
    return _KINDS[Kind(kind)]


def _agent(behaviours: Table[str, Table[str, str]]) -> Schema:
    every = _described(
        AGENT_KEYS,
        {
            "count": {"type": "integer", "minimum": 1, "maximum": COUNT_MAX},
            "start": {"const": "later"},
            "labels": _list_of({"type": "string"}),
            "release": {"enum": list(RELEASES)},
        },
    )
    every["work"] = {"description": AGENT_KEYS["work"], **_work()}
    branches: list[Schema] = [{"enum": list(dict.fromkeys((*BY_STEPS, *behaviours)))}]
    for name in dict.fromkeys((*BY_STEPS, *behaviours)):
        options = {key: _option(kind) for key, kind in behaviours.get(name, {}).items()}
        own = {**options, **every, "behaviour": {"const": name}}
        branches.append(_strict(own, ["behaviour"]))
    return {"anyOf": branches}


def _work() -> Schema:
    schemas = {
        "duration": _ref("duration"),
        "size": {"type": "integer", "minimum": 0, "maximum": SIZE_MAX},
        "outcome": {"enum": list(OUTCOMES)},
        "logs": _list_of({"type": "string"}, 0),
    }
    return _strict(_described(WORK_KEYS, schemas))


def _by_name(item: Schema) -> Schema:
    return {"type": "object", "propertyNames": {"pattern": _NAME}, "additionalProperties": item}


def _target() -> Schema:
    schemas = {"type": {"type": "string", "minLength": 1}, "config": {"type": "object"}}
    return _strict(_described(TARGET_KEYS, schemas), ["type"])


def _task() -> Schema:
    schemas = {
        "agent": {"type": "string", "pattern": _NAME},
        "pool": {"type": "string", "minLength": 1},
        "type": {"type": "string", "minLength": 1},
        "targets": _list_of({"type": "string", "pattern": _NAME}),
    }
    properties = _described(TASK_KEYS, schemas)
    whose: list[Schema] = [{"required": ["agent"]}, {"required": ["pool"]}]
    return {"type": "object", "properties": properties, "oneOf": whose}


def _case() -> Schema:
    name = {"type": "string", "pattern": f"^{CASE_NAME.pattern}$"}
    schemas = {"name": name, "profiles": _words(KNOWN_PROFILES)}
    return {"type": "object", "properties": _described(CASE_KEYS, schemas), "minProperties": 1}


def _words(words: Iterable[str]) -> Schema:
    return _list_of({"enum": list(words)}, uniqueItems=True)


def _definitions() -> Schema:
    """Return what several parts of the schema share."""
    return {
        "clause": {"type": "string", "pattern": _CLAUSE},
        "duration": {
            "description": "A sum of lengths of time and timers: 10m31s, command_timeout + 1s.",
            **_sum_of(_TERM),
        },
        "value": _value(),
        "answer": {"description": "What a call's answer must be.", **_answer()},
        "look": _look(),
        "step": _step(),
        "steps": _list_of(_ref("step")),
    }


def json_schema(behaviours: Table[str, Table[str, str]] | None = None) -> Schema:
    """Return the JSON Schema of scenario files.

    Args:
        behaviours: what agents can be; that of `simulated_agents.behaviours` when left out.

    """
    if behaviours is None:
        from simulated_agents.behaviours import OPTIONS  # noqa: PLC0415 - as in the loader

        behaviours = OPTIONS
    sentence = {"type": "string", "minLength": 1, "maxLength": SENTENCE_MAX}
    timing = _strict({name: _sum_of(LITERAL) for name in MASTER_TIMERS})
    schemas: Schema = {
        "scenario": sentence,
        "clauses": _list_of(_ref("clause"), uniqueItems=True),
        "profiles": _words(KNOWN_PROFILES),
        "clocks": _words(CLOCKS),
        "because": sentence,
        "alone": sentence,
        "empty": sentence,
        "exact": sentence,
        "zone": {"type": "string", "pattern": r"^[+-](0[0-9]|1[0-4]):[0-5][0-9]$"},
        "timing": timing,
        "faults": _list_of({"type": "string", "minLength": 1}),
        "agents": _by_name(_agent(behaviours)),
        "targets": _by_name(_target()),
        "tasks": _by_name(_task()),
        "cases": _list_of(_case(), maxItems=CASES_MAX),
        "steps": _ref("steps"),
    }
    one_clock = {"properties": {"clocks": {"maxItems": len(CLOCKS) - 1}}, "required": ["clocks"]}
    story = {
        **_strict(_described(TOP_KEYS, schemas), REQUIRED),
        "if": one_clock,
        "then": {"required": ["because"]},
        "else": {"properties": {"because": False}},
    }
    # `${case.x}` may stand anywhere in a story with cases: its shapes are the loader's to check
    parameterised = _strict(_described(TOP_KEYS, {"cases": schemas["cases"]}), REQUIRED)
    return {
        "$schema": DIALECT,
        "title": "muster scenario",
        "if": {"required": ["cases"]},
        "then": parameterised,
        "else": story,
        "$defs": _definitions(),
    }


def schema_text() -> str:
    """Return the schema as it is published."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"
