"""Mutants of RPC: asking agents while somebody waits."""

from typing import Final

from harness.selfcheck.mutant import Mutant, mutant

MUTANTS: Final[tuple[Mutant, ...]] = (
    mutant(
        "listing-without-directories",
        "RPC-1",
        "A listing calls everything a file.",
        (
            "path=entry.path, isDir=entry.isDir, size=entry.size",
            "path=entry.path, isDir=False, size=entry.size",
        ),
    ),
    mutant(
        "listing-of-the-latest",
        "RPC-1",
        "A listing is answered by the result that comes first, whoever asked for it.",
        (
            "        command = state.database.get(Command, command_id)\n",
            "        command = state.database.find(Command, \"type = 'list_dir' AND status = 'succeeded' ORDER BY updated_at DESC\") or state.database.get(Command, command_id)\n",
        ),
    ),
    mutant(
        "empty-listing-is-null",
        "RPC-1",
        "A listing of an empty directory is null.",
        ('    if listed in (b"", b"null"):\n', '    if listed in (b"", b"null", b"[]"):\n'),
    ),
    mutant(
        "path-not-passed-on",
        "RPC-1",
        "The agent is asked for its root.",
        ('payload = {"path": path if path.strip() else "/"}', 'payload = {"path": "/"}'),
    ),
    mutant(
        "failed-listing-is-empty",
        "RPC-2",
        "A listing that the agent failed is an empty one.",
        (
            '        raise ApiError("NODE_FS_READ_ERROR", f"远程目录浏览失败: {message}")\n',
            "        return []\n",
        ),
    ),
    mutant(
        "listing-without-its-message",
        "RPC-2",
        "A listing that the agent failed does not say why.",
        (
            'raise ApiError("NODE_FS_READ_ERROR", f"远程目录浏览失败: {message}")',
            'raise ApiError("NODE_FS_READ_ERROR", f"远程目录浏览失败{message[:0]}")',
        ),
    ),
    mutant(
        "listing-times-out-as-read-error",
        "RPC-3",
        "A listing that nobody answers is answered 400.",
        (
            '            raise ApiError("AGENT_COMMAND_TIMEOUT")\n        await',
            '            raise ApiError("NODE_FS_READ_ERROR")\n        await',
        ),
    ),
    mutant(
        "listing-waits-as-a-discovery",
        "RPC-8",
        "A discovery waits as long as a listing.",
        ("state.config.timings.discover_timeout_s)", "state.config.timings.list_dir_timeout_s)"),
    ),
    mutant(
        "discovery-waits-twice",
        "RPC-8",
        "A discovery waits twice as long.",
        (
            "state.config.timings.discover_timeout_s)",
            "state.config.timings.discover_timeout_s * 2)",
        ),
    ),
    mutant(
        "listing-waits-twice",
        "RPC-3",
        "A listing waits twice as long.",
        (
            "    timeout_s = state.config.timings.list_dir_timeout_s\n",
            "    timeout_s = state.config.timings.list_dir_timeout_s * 2\n",
        ),
    ),
    mutant(
        "given-up-is-deleted",
        "RPC-4",
        "A call that is given up takes its command out of the queue.",
        (
            '            raise ApiError("AGENT_COMMAND_TIMEOUT")\n        await',
            '            state.database.delete(Command, command_id)\n            raise ApiError("AGENT_COMMAND_TIMEOUT")\n        await',
        ),
    ),
    mutant(
        "given-up-is-failed",
        "RPC-4",
        "A call that is given up times out its command.",
        (
            '            raise ApiError("AGENT_COMMAND_TIMEOUT")\n        await',
            '            state.database.update(Command, command_id, status="timeout")\n            raise ApiError("AGENT_COMMAND_TIMEOUT")\n        await',
        ),
    ),
    mutant(
        "asked-though-offline",
        "RPC-5",
        "A listing on an offline node is put into its queue.",
        (
            '        raise ApiError("NODE_OFFLINE")\n    payload = {"path"',
            '        queue.enqueue(state, node.id, CommandType.LIST_DIR, {"path": path}, call.now)\n        raise ApiError("NODE_OFFLINE")\n    payload = {"path"',
        ),
    ),
    mutant(
        "discovers-though-offline",
        "RPC-5",
        "A discovery on an offline node waits for its agent.",
        (
            '        raise ApiError("NODE_OFFLINE", f"节点 {node.name} 当前离线，无法执行数据库发现")\n',
            "        pass\n",
        ),
    ),
    mutant(
        "databases-sorted",
        "RPC-6",
        "A discovery sorts what the agent found.",
        (
            "DatabaseNames(databases=found.databases)",
            "DatabaseNames(databases=found.databases and sorted(found.databases, reverse=True))",
        ),
    ),
    mutant(
        "no-databases-is-a-list",
        "RPC-6",
        "A discovery of nothing is an empty list.",
        (
            "DatabaseNames(databases=found.databases)",
            "DatabaseNames(databases=found.databases or [])",
        ),
    ),
    mutant(
        "discovery-without-password",
        "RPC-6",
        "The agent is asked to discover without the password.",
        (
            '        "user": wanted.user,\n        "password": wanted.password,\n',
            '        "user": wanted.user,\n',
        ),
    ),
    mutant(
        "failed-discovery-finds-nothing",
        "RPC-7",
        "A discovery that the agent failed finds no databases.",
        (
            "        return _failed(command.error_message.strip()",
            "        return success(DatabaseNames(databases=None)) or _failed(command.error_message.strip()",
        ),
    ),
    mutant(
        "discovery-without-its-message",
        "RPC-7",
        "A discovery that the agent failed does not say why.",
        ("_failed(command.error_message.strip() or", "_failed("),
    ),
    mutant(
        "garbage-is-no-listing",
        "RPC-9",
        "A result that is no listing is answered as a failed one.",
        (
            '    except (BindError, msgspec.DecodeError):\n        raise ApiError("AGENT_RESULT_INVALID") from None\n',
            '    except (BindError, msgspec.DecodeError):\n        raise ApiError("NODE_FS_READ_ERROR") from None\n',
        ),
    ),
    mutant(
        "garbage-is-an-empty-listing",
        "RPC-9",
        "A result that is no listing is an empty one.",
        (
            '    except (BindError, msgspec.DecodeError):\n        raise ApiError("AGENT_RESULT_INVALID") from None\n',
            "    except (BindError, msgspec.DecodeError):\n        return []\n",
        ),
    ),
    mutant(
        "no-path-is-no-path",
        "RPC-12",
        "A listing of no folder asks the agent for none.",
        ('payload = {"path": path if path.strip() else "/"}', 'payload = {"path": path}'),
    ),
    mutant(
        "discovers-without-user",
        "RPC-14",
        "A discovery without user is put into the queue.",
        (
            '        "user": (required,),\n        "password": (required,),\n',
            '        "password": (required,),\n',
        ),
    ),
    mutant(
        "discovers-at-port-nothing",
        "RPC-14",
        "A discovery without port is put into the queue.",
        ('        "port": (required, at_least_one),\n', ""),
    ),
    mutant(
        "viewers-list-nothing",
        "RPC-10",
        "A viewer may not list directories.",
        (
            "    return signed_in(list_directory) if anybody else not_viewer(list_directory)\n",
            "    return not_viewer(list_directory)\n",
        ),
    ),
    mutant(
        "viewers-list-all",
        "RPC-11",
        "A viewer may list directories.",
        (
            "    return signed_in(list_directory) if anybody else not_viewer(list_directory)\n",
            "    return signed_in(list_directory)\n",
        ),
    ),
    mutant(
        "viewers-are-refused-late",
        "RPC-11",
        "A viewer is refused when the agent has been asked.",
        (
            "    return signed_in(list_directory) if anybody else not_viewer(list_directory)\n",
            "    return signed_in(_late) if not anybody else signed_in(list_directory)\n",
        ),
        (
            "def _list_directory_of(profile",
            'async def _late(state: State, call: Call, caller: Caller) -> Response:\n    if caller.role == "viewer":\n        queue.enqueue(state, call.agent_id(), CommandType.LIST_DIR, {"path": "/"}, call.now)\n        raise ApiError("AUTH_FORBIDDEN")\n    return await list_directory(state, call, caller)\n\n\ndef _list_directory_of(profile',
        ),
    ),
    mutant(
        "viewers-discover-nothing",
        "RPC-15",
        "A viewer may not ask for databases.",
        (
            '("POST", "/api/database/discover"): signed_in(discover)',
            '("POST", "/api/database/discover"): not_viewer(discover)',
        ),
    ),
    mutant(
        "paths-are-trimmed",
        "RPC-1",
        "The folder to list loses the space around its name.",
        (
            'payload = {"path": path if path.strip() else "/"}',
            'payload = {"path": path.strip() or "/"}',
        ),
    ),
    mutant(
        "paths-are-cleaned",
        "RPC-1",
        "The folder to list is asked for in its shortest form.",
        (
            'payload = {"path": path if path.strip() else "/"}',
            'payload = {"path": posixpath.normpath(path) if path.strip() else "/"}',
        ),
    ),
    mutant(
        "listings-are-sorted",
        "RPC-1",
        "A listing is sorted, folders first.",
        (
            "        entries.append(Entry(name=entry.name, path=entry.path, isDir=entry.isDir, size=entry.size))\n    return entries",
            "        entries.append(Entry(name=entry.name, path=entry.path, isDir=entry.isDir, size=entry.size))\n    return sorted(entries, key=lambda one: (not one.isDir, one.name))",
        ),
    ),
    mutant(
        "listings-hide-dots",
        "RPC-1",
        "A listing leaves out what begins with a dot.",
        (
            "        entries.append(Entry(name=entry.name, path=entry.path, isDir=entry.isDir, size=entry.size))\n    return entries",
            '        entries.append(Entry(name=entry.name, path=entry.path, isDir=entry.isDir, size=entry.size))\n    return [one for one in entries if not one.name.startswith(".")]',
        ),
    ),
    mutant(
        "folders-have-no-size",
        "RPC-1",
        "A listing gives folders no size.",
        (
            "isDir=entry.isDir, size=entry.size))",
            "isDir=entry.isDir, size=0 if entry.isDir else entry.size))",
        ),
    ),
    mutant(
        "databases-are-sorted",
        "RPC-6",
        "The databases found are sorted by name.",
        (
            "return success(DatabaseNames(databases=found.databases))",
            "return success(DatabaseNames(databases=found.databases and sorted(found.databases)))",
        ),
    ),
)
