"""Mutants of AGT about listings, searches for databases, and deletions."""

from typing import Final

from harness.selfcheck.mutant import Mutant, mutant

_ENTRY_SORT: Final = "key=lambda entry: (not entry.is_dir, entry.name)"
_UNLINK: Final = "            place.unlink()\n        except OSError as error:\n"
_BLANK: Final = '        return failure("storagePath is required")\n'

MUTANTS: Final[tuple[Mutant, ...]] = (
    mutant(
        "agent-lists-names-for-paths",
        "AGT-36",
        "A listing has names where paths belong.",
        ('"path": one.path', '"path": one.name'),
    ),
    mutant(
        "agent-lists-without-sizes",
        "AGT-36",
        "A listing has no sizes.",
        (', "size": one.size_bytes}', "}"),
    ),
    mutant(
        "agent-lists-modes",
        "AGT-36",
        "A listing tells more than was asked for.",
        (', "size": one.size_bytes}', ', "size": one.size_bytes, "mode": 0}'),
    ),
    mutant(
        "agent-lists-by-name",
        "AGT-37",
        "A listing is in the order of names, whatever they are of.",
        (_ENTRY_SORT, "key=lambda entry: entry.name"),
    ),
    mutant(
        "agent-lists-files-first",
        "AGT-37",
        "A listing has the files first.",
        (_ENTRY_SORT, "key=lambda entry: (entry.is_dir, entry.name)"),
    ),
    mutant(
        "agent-lists-backwards",
        "AGT-37",
        "A listing has the folders first, and the last name first.",
        (_ENTRY_SORT, "key=lambda entry: (entry.is_dir, entry.name), reverse=True"),
    ),
    mutant(
        "agent-lists-the-size-of-folders",
        "AGT-38",
        "A folder is as large as its entry.",
        (
            "0 if is_dir else one.stat(follow_symlinks=False).st_size",
            "one.stat(follow_symlinks=False).st_size + is_dir",
        ),
    ),
    mutant(
        "agent-lists-blocks",
        "AGT-38",
        "The size of a file is counted in blocks.",
        (
            "0 if is_dir else one.stat(follow_symlinks=False).st_size",
            "0 if is_dir else one.stat(follow_symlinks=False).st_size // 512",
        ),
    ),
    mutant(
        "agent-lists-nothing-for-nowhere",
        "AGT-39",
        "What is no folder is listed as an empty one.",
        (
            "            raise WorkError(f\"read dir: {_why('open', path, error)}\") from None\n",
            "            return []\n",
        ),
    ),
    mutant(
        "agent-does-not-say-why-it-lists-nothing",
        "AGT-39",
        "A listing of what is no folder fails without a message.",
        (
            "            raise WorkError(f\"read dir: {_why('open', path, error)}\") from None\n",
            '            raise WorkError("") from None\n',
        ),
    ),
    mutant(
        "agent-finds-no-databases",
        "AGT-40",
        "A search that cannot be made finds nothing.",
        (
            "        return await self._hands.do(discover, payload)\n",
            (
                "        try:\n"
                "            return await self._hands.do(discover, payload)\n"
                "        except WorkError:\n"
                "            return []\n"
            ),
        ),
    ),
    mutant(
        "agent-quotes-the-password",
        "AGT-40",
        "A search that fails tells what it asked.",
        (
            "        return await self._hands.do(discover, payload)\n",
            (
                "        try:\n"
                "            return await self._hands.do(discover, payload)\n"
                "        except WorkError as error:\n"
                '            raise WorkError(f"{error}: {payload}") from None\n'
            ),
        ),
    ),
    mutant(
        "agent-says-it-deleted",
        "AGT-41",
        "Nothing is deleted, and the result says it was.",
        (_UNLINK, "            pass\n        except OSError as error:\n"),
    ),
    mutant(
        "agent-deletes-the-folder",
        "AGT-41",
        "All that lies beside the object is deleted with it.",
        (
            _UNLINK,
            (
                "            for one in place.parent.iterdir():\n"
                "                one.unlink()\n        except OSError as error:\n"
            ),
        ),
    ),
    mutant(
        "agent-does-not-say-that-it-deleted",
        "AGT-41",
        "The result of a deletion says nothing.",
        ('    return {"deleted": True}\n', "    return {}\n"),
    ),
    mutant(
        "agent-is-glad-to-delete-nothing",
        "AGT-42",
        "A deletion that names no object is answered with success.",
        (_BLANK, "        return Report()\n"),
    ),
    mutant(
        "agent-deletes-it-all",
        "AGT-42",
        "A deletion that names no object empties the target, and fails then.",
        (
            _BLANK,
            "        import json, shutil\n"
            '        shutil.rmtree(json.loads(bytes(payload.targetConfig))["basePath"], True)\n'
            + _BLANK,
        ),
    ),
)
