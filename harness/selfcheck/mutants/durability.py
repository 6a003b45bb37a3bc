"""Mutants of DUR: what survives the death of the master."""

from typing import Final

from harness.selfcheck.mutant import Mutant, mutant

_NEW_STATE = "        self.state = State(\n"
"""Where a master that begins has its tables, and nobody has asked it anything."""

MUTANTS: Final[tuple[Mutant, ...]] = (
    mutant(
        "answers-before-commit",
        "DUR-1",
        "What a transaction wrote is committed when the next one begins.",
        (
            '        self.execute("BEGIN IMMEDIATE")\n        try:\n            yield\n            self.execute("COMMIT")\n',
            (
                "        if self._connection.in_transaction:\n"
                '            self.execute("COMMIT")\n'
                '        self.execute("BEGIN IMMEDIATE")\n        try:\n            yield\n'
            ),
        ),
    ),
    mutant(
        "start-fails-what-runs",
        "DUR-1",
        "A master that begins fails the records that are running.",
        (
            _NEW_STATE,
            (
                "        database.execute(\"UPDATE backup_records SET status = 'failed' WHERE status = 'running'\")\n"
                "        self.state = State(\n"
            ),
        ),
    ),
    mutant(
        "start-makes-new-tokens",
        "DUR-1",
        "A master that begins gives its nodes new tokens.",
        (
            _NEW_STATE,
            (
                '        database.execute("UPDATE nodes SET token = lower(hex(randomblob(32)))")\n'
                "        self.state = State(\n"
            ),
        ),
    ),
    mutant(
        "start-empties-the-queue",
        "DUR-1",
        "A master that begins drops the commands that wait.",
        (
            _NEW_STATE,
            (
                "        database.execute(\"DELETE FROM agent_commands WHERE status = 'pending'\")\n"
                "        self.state = State(\n"
            ),
        ),
    ),
    mutant(
        "start-puts-claims-back",
        "DUR-2",
        "A master that begins puts what was claimed back into the queue.",
        (
            _NEW_STATE,
            (
                "        database.execute(\"UPDATE agent_commands SET status = 'pending' WHERE status = 'dispatched'\")\n"
                "        self.state = State(\n"
            ),
        ),
    ),
    mutant(
        "start-forgets-claims",
        "DUR-6",
        "A master never times out what another life of it handed out.",
        (
            _NEW_STATE,
            (
                "        database.execute(\"UPDATE agent_commands SET dispatched_at = NULL WHERE status = 'dispatched'\")\n"
                "        self.state = State(\n"
            ),
        ),
    ),
    mutant(
        "start-fails-claims",
        "DUR-2",
        "A master that begins times out at once whatever is claimed.",
        (
            _NEW_STATE,
            (
                "        database.execute(\"UPDATE agent_commands SET status = 'timeout' WHERE status = 'dispatched'\")\n"
                "        self.state = State(\n"
            ),
        ),
    ),
    mutant(
        "repeated-result-refused",
        "DUR-3",
        "A result that was sent already is refused.",
        (
            "    profile = state.config.profile\n    ended = replace(\n",
            '    if command.status == CommandStatus.SUCCEEDED:\n        raise ApiError("AGENT_COMMAND_NOT_FOUND")\n    profile = state.config.profile\n    ended = replace(\n',
        ),
    ),
    mutant(
        "repeated-report-refused",
        "DUR-3",
        "A report about a record that has ended is refused.",
        (
            "    if _is_final(state, record):\n",
            '    if record.status in FINISHED_RECORD:\n        raise ApiError("BACKUP_RECORD_FORBIDDEN")\n    if _is_final(state, record):\n',
        ),
    ),
    mutant(
        "start-forgets-logs",
        "DUR-4",
        "A master that begins has forgotten the logs of backups that are running.",
        (
            "        self.state = State(\n",
            "        database.execute(\"UPDATE backup_records SET log_content = '' WHERE status = 'running'\")\n        self.state = State(\n",
        ),
    ),
    mutant(
        "start-trims-logs",
        "DUR-4",
        "A master that begins trims the logs that it finds.",
        (
            "        self.state = State(\n",
            "        database.execute('UPDATE backup_records SET log_content = rtrim(log_content, char(10) || char(13))')\n        self.state = State(\n",
        ),
    ),
    mutant(
        "start-forgets-old-tokens",
        "DUR-5",
        "A master that begins takes the newest tokens alone.",
        (
            "        self.state = State(\n",
            "        database.execute(\"UPDATE nodes SET prev_token = ''\")\n        self.state = State(\n",
        ),
    ),
    mutant(
        "start-renews-the-grace",
        "DUR-5",
        "The grace of an old token begins anew with each life of the master.",
        (
            "        self.state = State(\n",
            "        database.execute(\"UPDATE nodes SET prev_token_expires = ? WHERE prev_token <> ''\", (now.utc_in(config.timings.token_grace_s),))\n        self.state = State(\n",
        ),
    ),
    mutant(
        "start-renews-claims",
        "DUR-6",
        "The age of a claim begins anew with each life of the master.",
        (
            "        self.state = State(\n",
            "        database.execute(\"UPDATE agent_commands SET dispatched_at = ? WHERE status = 'dispatched'\", (now.utc,))\n        self.state = State(\n",
        ),
    ),
    mutant(
        "start-renews-records",
        "DUR-6",
        "A record counts as reported about when the master begins.",
        (
            "        self.state = State(\n",
            "        database.execute(\"UPDATE backup_records SET updated_at = ? WHERE status = 'running'\", (now.local,))\n        self.state = State(\n",
        ),
        profile="2.3.4",
    ),
    mutant(
        "start-silences-all",
        "DUR-7",
        "A master that begins takes every node for offline.",
        (
            "        self.state = State(\n",
            "        database.execute(\"UPDATE nodes SET status = 'offline' WHERE is_local = 0\")\n        self.state = State(\n",
        ),
    ),
    mutant(
        "start-greets-all",
        "DUR-7",
        "A master that begins takes every node for online.",
        (
            "        self.state = State(\n",
            "        database.execute(\"UPDATE nodes SET status = 'online'\")\n        self.state = State(\n",
        ),
    ),
    mutant(
        "start-hears-all",
        "DUR-7",
        "The silence of a node begins anew with each life of the master.",
        (
            "        self.state = State(\n",
            "        database.execute(\"UPDATE nodes SET last_seen = ? WHERE status = 'online'\", (now.utc,))\n        self.state = State(\n",
        ),
    ),
    mutant(
        "start-makes-a-new-signing-key",
        "DUR-8",
        "Every log-in ends with the master's life.",
        ("            if jwt_secret is None:\n", "            if True:\n"),
    ),
    mutant(
        "start-forgets-keys",
        "DUR-8",
        "API keys end with the master's life.",
        (
            "        self.state = State(\n",
            "        database.execute('DELETE FROM api_keys')\n        self.state = State(\n",
        ),
    ),
    mutant(
        "start-makes-a-new-cipher",
        "DUR-8",
        "What is stored sealed cannot be opened by the master's next life.",
        (
            "    key = config.encryption_key or stored or _new_secret(entropy)\n",
            "    key = _new_secret(entropy)\n    return Cipher(key, entropy)\n",
        ),
    ),
    mutant(
        "ids-are-used-again",
        "DUR-9",
        "The id of the newest row is used again when that is deleted.",
        ("`id` integer PRIMARY KEY AUTOINCREMENT", "`id` integer PRIMARY KEY"),
    ),
    mutant(
        "start-forgets-ids",
        "DUR-9",
        "A master that begins counts ids from the largest there is.",
        (
            "        self.state = State(\n",
            "        database.execute('DELETE FROM sqlite_sequence')\n        self.state = State(\n",
        ),
    ),
    mutant(
        "unacknowledged-goes-out-again",
        "DUR-10",
        "What was handed out a minute ago, and not reported about, is handed out again.",
        (
            "WHERE node_id = ? AND status = 'pending' ORDER BY id LIMIT 1",
            "WHERE node_id = ? AND (status = 'pending' OR status = 'dispatched' AND julianday(dispatched_at) < julianday(?) - 1.0 / 1440) ORDER BY id LIMIT 1",
        ),
        (
            "database.execute(_OLDEST_PENDING, (node_id,))",
            "database.execute(_OLDEST_PENDING, (node_id, now.utc))",
        ),
        (" WHERE id = ? AND status = 'pending' RETURNING", " WHERE id = ? RETURNING"),
    ),
    mutant(
        "refusals-are-committed",
        "DUR-13",
        "What a refused request wrote before it was refused stays.",
        (
            '            self.execute("COMMIT")\n        except BaseException:\n            if self._connection.in_transaction:  # SQLite ends it itself after some errors\n                self.execute("ROLLBACK")\n',
            '            self.execute("COMMIT")\n        except BaseException:\n            if self._connection.in_transaction:\n                self.execute("COMMIT")\n',
        ),
        (
            '                raise ApiError("NODE_DUPLICATE_NAME", f"节点名「{name}」已存在")\n        for name in names:\n            node_id',
            '                raise ApiError("NODE_DUPLICATE_NAME", f"节点名「{name}」已存在")\n            node_id',
        ),
    ),
    mutant(
        "refused-reports-are-logged",
        "DUR-13",
        "A report about another node's backup is refused, and its text is in the log.",
        (
            '    if (made_for or task.node_id) != node.id:\n        raise ApiError("BACKUP_RECORD_FORBIDDEN")\n',
            "    if (made_for or task.node_id) != node.id:\n        state.database.update(Record, record.id, log_content='?')\n        raise ApiError(\"BACKUP_RECORD_FORBIDDEN\")\n",
        ),
    ),
    mutant(
        "start-drops-questions",
        "DUR-14",
        "A master that begins drops the questions that wait.",
        (
            "        self.state = State(\n",
            "        database.execute(\"DELETE FROM agent_commands WHERE type IN ('list_dir', 'discover_db') AND status = 'pending'\")\n        self.state = State(\n",
        ),
    ),
    mutant(
        "start-ends-questions",
        "DUR-14",
        "A master that begins ends the questions that wait.",
        (
            "        self.state = State(\n",
            "        database.execute(\"UPDATE agent_commands SET status = 'timeout' WHERE type IN ('list_dir', 'discover_db') AND status = 'pending'\")\n        self.state = State(\n",
        ),
    ),
    mutant(
        "uploads-in-memory",
        "DUR-15",
        "What was uploaded ends with the master's life while no task has ever succeeded.",
        (
            "            objects=objects or MemoryObjects(),\n",
            "            objects=objects\n            if objects and database.count(Task, \"last_status = 'success'\")\n            else MemoryObjects(),\n",
        ),
    ),
)
