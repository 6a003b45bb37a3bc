"""The vocabulary of scenario files: every verb, with the keys it takes.

This table is the language. The loader checks files against it, the published JSON Schema and the
reference page are made from it, and the runner has one method a verb.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """What a key may hold."""

    AGENT = "agent"  # the name of a declared agent
    TASK = "task"  # the name of a declared task, or an id
    TARGET = "target"  # the name of a declared storage target, or an id
    COMMAND = "command"  # a name given with `as`, a reference, or an id
    RECORD = "record"
    RESTORE = "restore"
    ANSWER = "answer"  # a name given with `as` to a call in the background
    TEXT = "text"
    NUMBER = "number"
    FLAG = "flag"
    DURATION = "duration"
    JSON = "json"  # anything
    MAPPING = "mapping"
    MATCHERS = "matchers"  # fields and what each must be
    STEPS = "steps"
    LIST = "list"
    FEED = "feed"  # a name given with `as` to `listen`
    MOMENT = "moment"  # a name given with `as` to `mark`
    FILES = "files"  # files by their paths, and what is in them
    PATH = "path"  # a path on the machine of agents under test


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb.

    Attributes:
        help: what it does, in one sentence.
        keys: each key with what it may hold.
        required: the keys it cannot do without.
        short: the key that a bare value stands for (`poll: alpha`), or `None`.
        open: other keys are taken too, as fields of the request's JSON.
        call: it makes an HTTP exchange, so `as`, `expect`, `background`, `times` and `token` apply.

    """

    help: str
    keys: dict[str, Kind]
    required: tuple[str, ...] = ()
    short: str | None = None
    open: bool = False
    call: bool = False


def _call(
    help_text: str, *required: str, short: str | None = None, open_: bool = False, **keys: Kind
) -> Verb:
    return Verb(help_text, keys, required, short, open_, call=True)


VERBS: Final[dict[str, Verb]] = {
    # --- what an agent does ------------------------------------------------------------------
    "heartbeat": _call(
        "The agent sends a sign of life; further keys replace fields of its body.",
        "agent",
        short="agent",
        open_=True,
        agent=Kind.AGENT,
        headers=Kind.MAPPING,
    ),
    "poll": _call("The agent asks for its next command.", "agent", short="agent", agent=Kind.AGENT),
    "result": _call(
        "The agent reports a command's result: success unless said otherwise; further keys replace fields of the body.",
        "agent",
        "command",
        open_=True,
        agent=Kind.AGENT,
        command=Kind.COMMAND,
        headers=Kind.MAPPING,
    ),
    "get_task": _call(
        "The agent fetches a task's specification.",
        "agent",
        "task",
        agent=Kind.AGENT,
        task=Kind.TASK,
    ),
    "update_record": _call(
        "The agent reports about a backup; further keys are the fields of the report.",
        "agent",
        "record",
        open_=True,
        agent=Kind.AGENT,
        record=Kind.RECORD,
        headers=Kind.MAPPING,
    ),
    "get_restore": _call(
        "The agent fetches a restore's specification.",
        "agent",
        "restore",
        agent=Kind.AGENT,
        restore=Kind.RESTORE,
    ),
    "update_restore": _call(
        "The agent reports about a restore; further keys are the fields of the report.",
        "agent",
        "restore",
        open_=True,
        agent=Kind.AGENT,
        restore=Kind.RESTORE,
        headers=Kind.MAPPING,
    ),
    "put_artifact": _call(
        "The agent uploads a backup through the master, with the right key, hash and length unless said otherwise; `null` leaves one out.",
        "agent",
        "record",
        "target",
        agent=Kind.AGENT,
        record=Kind.RECORD,
        target=Kind.TARGET,
        content=Kind.TEXT,
        size=Kind.NUMBER,
        file=Kind.TEXT,
        key=Kind.JSON,
        sha256=Kind.JSON,
        length=Kind.JSON,
        headers=Kind.MAPPING,
    ),
    "get_artifact": _call(
        "The agent downloads the backup to restore through the master.",
        "agent",
        "restore",
        agent=Kind.AGENT,
        restore=Kind.RESTORE,
    ),
    "self": _call("The agent asks for its own status.", "agent", short="agent", agent=Kind.AGENT),
    # --- what an administrator does ------------------------------------------------------------
    "run": _call(
        "Run a task; the answer is the backup record.", "task", short="task", task=Kind.TASK
    ),
    "restore": _call(
        "Restore a backup; the answer is the restore record.",
        "record",
        short="record",
        record=Kind.RECORD,
    ),
    "list_dir": _call(
        "List a directory of the agent's machine.", "agent", agent=Kind.AGENT, path=Kind.TEXT
    ),
    "discover": _call(
        "Ask which databases the agent's machine sees; further keys replace fields of the request.",
        "agent",
        open_=True,
        agent=Kind.AGENT,
        headers=Kind.MAPPING,
    ),
    "rotate": _call(
        "Give the agent a new token, which it uses from now on.",
        "agent",
        short="agent",
        agent=Kind.AGENT,
    ),
    "lock": _call(
        "Lock a backup record against deletion.", "record", short="record", record=Kind.RECORD
    ),
    "unlock": _call("Unlock a backup record.", "record", short="record", record=Kind.RECORD),
    "update_task": _call(
        "Change a task: what it was made with, with further keys in the place of its fields.",
        "task",
        open_=True,
        task=Kind.TASK,
        headers=Kind.MAPPING,
    ),
    "update_node": _call(
        "Change an agent's node; further keys are the fields beside its name.",
        "agent",
        open_=True,
        agent=Kind.AGENT,
        headers=Kind.MAPPING,
    ),
    "move_task": _call(
        "Bind a task to another agent.", "task", "agent", task=Kind.TASK, agent=Kind.AGENT
    ),
    "delete": _call(
        "Delete one thing.",
        agent=Kind.AGENT,
        task=Kind.TASK,
        target=Kind.TARGET,
        record=Kind.RECORD,
    ),
    "admin": _call(
        "Any request with the administrator's token.",
        "method",
        "path",
        method=Kind.TEXT,
        path=Kind.TEXT,
        json=Kind.JSON,
        body=Kind.TEXT,
        headers=Kind.MAPPING,
    ),
    "request": _call(
        "Any request, with the agent's token if one is named, without credentials otherwise.",
        "method",
        "path",
        method=Kind.TEXT,
        path=Kind.TEXT,
        agent=Kind.AGENT,
        json=Kind.JSON,
        body=Kind.TEXT,
        headers=Kind.MAPPING,
    ),
    # --- what happens by itself ------------------------------------------------------------------
    "start": Verb("An agent's process starts.", {"agent": Kind.AGENT}, ("agent",), "agent"),
    "crash": Verb(
        "An agent's process dies at once, in the middle of whatever it does.",
        {"agent": Kind.AGENT},
        ("agent",),
        "agent",
    ),
    "enqueue": Verb(
        "A command for an agent is put into the master's database, of any type and with any payload: a mapping, or a text that may be no JSON.",
        {"agent": Kind.AGENT, "type": Kind.TEXT, "payload": Kind.JSON, "as": Kind.TEXT},
        ("agent", "type"),
    ),
    "stop": Verb(
        "An agent's process is asked to end, as a service manager asks (SIGTERM).",
        {"agent": Kind.AGENT},
        ("agent",),
        "agent",
    ),
    "write": Verb(
        "Make files below a folder, each with a text in it, `{size: …}` bytes, or `{link: …}` to another; a path that ends in a slash is a folder.",
        {"at": Kind.PATH, "files": Kind.FILES},
        ("at", "files"),
    ),
    "remove": Verb(
        "Remove a file, or a folder with all that is in it.", {"path": Kind.PATH}, ("path",), "path"
    ),
    "snapshot": Verb(
        "Name the files below a folder as they are now, to compare with later.",
        {"of": Kind.PATH, "as": Kind.TEXT},
        ("of", "as"),
    ),
    "mark": Verb("Name this moment, for `since`.", {"as": Kind.TEXT}, ("as",), "as"),
    "wait": Verb("Time passes.", {"for": Kind.DURATION}, ("for",), "for"),
    "until": Verb(
        "Look at something again and again until it is as said, for so long at most.",
        {"within": Kind.DURATION, "expect": Kind.MATCHERS},
        ("within", "expect"),
    ),
    "expect": Verb(
        "Look at something, and it must be as said.",
        {"expect": Kind.MATCHERS},
        ("expect",),
        "expect",
    ),
    "answer": Verb(
        "Wait for the answer of a call in the background.",
        {"of": Kind.ANSWER, "expect": Kind.MATCHERS},
        ("of",),
        "of",
    ),
    "listen": Verb(
        "An administrator opens the master's event stream and reads it from now on.",
        {"as": Kind.TEXT, "token": Kind.TEXT},
        ("as",),
    ),
    "stop_listening": Verb(
        "The reader of an event stream hangs up.", {"to": Kind.FEED}, ("to",), "to"
    ),
    "together": Verb(
        "Do all of these at the same moment.", {"steps": Kind.STEPS}, ("steps",), "steps"
    ),
    "for_each": Verb(
        "Do these steps for each item of a list, known as ${each}.",
        {"in": Kind.LIST, "do": Kind.STEPS},
        ("in", "do"),
    ),
    "restart_master": Verb(
        "The master dies at once and starts again on what it left: its database as far as it was committed, and its disk. Until then nobody is answered.",
        {"for": Kind.DURATION, "do": Kind.STEPS},
    ),
    "master_clock": Verb(
        "Set the wall clock of the master forward (`jump`) or back, on the virtual clock only.",
        {"jump": Kind.DURATION, "back": Kind.DURATION},
    ),
    "tamper": Verb(
        "Change the master's database behind its back; `freeze` makes its rows refuse every later change.",
        {
            "insert": Kind.TEXT,
            "update": Kind.TEXT,
            "delete": Kind.TEXT,
            "freeze": Kind.TEXT,
            "set": Kind.MAPPING,
            "where": Kind.MAPPING,
            "as": Kind.TEXT,
        },
    ),
}

CALL_KEYS: Final[dict[str, Kind]] = {
    "as": Kind.TEXT,
    "expect": Kind.MATCHERS,
    "background": Kind.FLAG,
    "times": Kind.NUMBER,
    "token": Kind.TEXT,
    "lose": Kind.TEXT,
}
"""Keys beside the verb's own that every call takes."""

STEP_KEYS: Final[dict[str, Kind]] = {"clauses": Kind.LIST}
"""Keys beside the verb's own that every step takes."""

SUBJECTS: Final[dict[str, Kind]] = {
    "record": Kind.RECORD,
    "restore": Kind.RESTORE,
    "task": Kind.TASK,
    "agent": Kind.AGENT,
    "command": Kind.COMMAND,
    "records": Kind.MAPPING,
    "restores": Kind.MAPPING,
    "commands": Kind.MAPPING,
    "answers": Kind.ANSWER,
    "events": Kind.FEED,
    "calls": Kind.MAPPING,
    "process": Kind.AGENT,
    "file": Kind.PATH,
    "files": Kind.PATH,
}
"""What an `expect` may look at: one of these keys, and beside it the fields and what they must be.

The plural ones select by fields and are looked at as a list; `count` is their usual expectation.
`answers` are those of a call made several times (`times`) or in `together`. `events` are what came
over an event stream: events with the fields of their data, comments as `comment`, and how it `ended`.
`calls` are what an agent asked the master, as it was heard; `files` what lies below a folder.
"""

LISTS: Final = ("records", "restores", "commands", "answers", "events", "calls", "files")
"""The subjects that are several things."""

MATCHERS: Final[dict[str, str]] = {
    "not": "anything but this",
    "one_of": "one of these",
    "contains": "text or list that has this in it",
    "matches": "text that this regular expression matches somewhere",
    "at_least": "a number not below this",
    "at_most": "a number not above this",
    "between": "a number from the first to the second",
    "length": "text or a list of this length",
    "takes": "a number of seconds between two durations of this clock",
    "exactly": "this mapping and no further keys",
    "absent": "the key is not there (`absent: true`) or is (`absent: false`)",
    "json": "text that is JSON and as this says",
    "keys": "a mapping with just these keys, in this order",
    "all": "a list each of whose items is as this says",
    "any": "a list one of whose items is as this says",
    "in_order": "text that has all of these in it, one behind the other",
}
"""A mapping with one of these keys alone is a matcher; any other mapping matches key by key."""

ANSWER_FIELDS: Final[dict[str, str]] = {
    "status": "the HTTP status; 200 when neither it nor the code is said",
    "code": "the envelope's code",
    "message": "the envelope's message",
    "data": "the envelope's data",
    "command": "the command a poll brought: its type, its fields, or null for none",
    "json": "the whole body, read as JSON",
    "body": "the body as text",
    "headers": "the answer's headers, their names in small letters",
    "size": "bytes of the body",
    "sha256": "the hash of the body, as 64 hexadecimal digits",
    "no_reply": "that no answer came: `refused` when the master cannot have heard the call, `lost` when it may have",
}

LOSABLE: Final = ("request", "reply")
"""What can get lost of a call: what is asked, or only what is answered."""

"""What the `expect` of a call can say something about."""

LIST_FIELDS: Final[dict[str, str]] = {
    "where": "only items that are as this says are looked at",
    "count": "how many there are",
    "items": "all of them, in order",
    "all": "each of them",
    "any": "one of them",
    "in_order": "some of them, one behind the other, whatever is between",
    "every": "how long it is from one to the next, on average and within a quarter (calls only)",
}
"""What an `expect` about several things can say beside its subject."""

EXISTS: Final = "exists"
"""What an `expect` about one thing can say beside its fields: whether it is there at all."""
