"""What the decisions of the master share: its tables, its key, its timers.

Services are plain functions over a `State`; each gets the instant of its request as `now`.
They ask no clock, open no socket, and take randomness from the state's entropy alone.
"""

from dataclasses import dataclass, field

from master.admin.limiter import LoginLimiter, SlidingLimiter
from master.cipher import Cipher
from master.config import Clock, Config, Entropy, Hasher
from master.events import Events
from master.loghub import LogHub
from master.now import Now
from master.objects import Objects
from master.sample import Sample
from master.store.database import Database
from master.timetable import Timetable
from master.waiters import Waiters


@dataclass(frozen=True, slots=True)
class State:
    """Everything a master remembers, and the little it was given.

    Attributes:
        database: the tables.
        cipher: opens and seals stored credentials.
        config: timings and profile.
        entropy: tokens and keys.
        clock: for the waits of RPCs, nothing else.
        waiters: who waits for which command.
        jwt_secret: signs log-ins.
        started: when this master was made.
        hasher: hashes passwords.
        timetable: when which task is to be run by its cron expression.
        objects: what lies on the master's own disk.
        limiter: attempts to log in, by client.
        samples: the figures of `/metrics`, as they were last counted.
        events: who listens to the event stream.
        install_limiter: requests for install scripts, by client.
        restore_logs: events of restores, until the process ends.

    """

    database: Database
    cipher: Cipher
    config: Config
    entropy: Entropy = field(repr=False)
    clock: Clock
    waiters: Waiters
    jwt_secret: str = field(repr=False)
    started: Now
    hasher: Hasher
    timetable: Timetable
    objects: Objects
    samples: list[Sample] = field(default_factory=list)
    events: Events = field(default_factory=Events)
    limiter: LoginLimiter = field(default_factory=LoginLimiter)
    install_limiter: SlidingLimiter = field(default_factory=SlidingLimiter)
    restore_logs: LogHub = field(default_factory=LogHub)
