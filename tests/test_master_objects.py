"""Objects on the master's disk: whole or not there, and never outside of their target."""

from pathlib import Path

import pytest
import trio

from master.objects import DiskObjects, MemoryObjects, ObjectError, ObjectMissingError, Objects

KEY = "BackupX/file/261124/records/7/a.tar.gz"


@pytest.fixture(params=["memory", "disk"])
def objects(request: pytest.FixtureRequest) -> Objects:
    """Either place."""
    return MemoryObjects() if request.param == "memory" else DiskObjects()


@pytest.fixture
def base(tmp_path: Path) -> str:
    """A target's base path that nobody has made yet."""
    return str(tmp_path / "target")


def stored(objects: Objects, base: str, key: str, *pieces: bytes) -> None:
    with objects.create(base, key) as writing:
        for piece in pieces:
            writing.write(piece)
        writing.commit()


async def read(objects: Objects, base: str, key: str) -> list[bytes]:
    reading = objects.open(base, key)
    try:
        pieces = [piece async for piece in reading]
        assert sum(map(len, pieces)) == reading.size_bytes
        return pieces
    finally:
        await reading.aclose()


def test_what_was_written_is_read(objects: Objects, base: str) -> None:
    """An object comes out as it went in, however it was cut."""
    stored(objects, base, KEY, b"a" * 100_000, b"b")

    pieces = trio.run(read, objects, base, KEY)

    assert b"".join(pieces) == b"a" * 100_000 + b"b"
    assert len(pieces) > 1
    assert objects.exists(base + "/", KEY)
    assert not objects.exists(f"{base}/elsewhere", KEY)


def test_the_last_one_written_counts(objects: Objects, base: str) -> None:
    """An object is replaced as a whole; until then the old one is read."""
    stored(objects, base, KEY, b"old")
    with objects.create(base, KEY) as writing:
        writing.write(b"new")
        assert trio.run(read, objects, base, KEY) == [b"old"]
        writing.commit()

    assert trio.run(read, objects, base, KEY) == [b"new"]


def test_what_is_not_committed_is_forgotten(objects: Objects, base: str, tmp_path: Path) -> None:
    """An upload that breaks off leaves neither an object nor a part of one."""
    with objects.create(base, KEY) as writing:
        writing.write(b"half")

    assert not objects.exists(base, KEY)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_deleting_says_whether_it_was_there(objects: Objects, base: str) -> None:
    """The second delete finds nothing."""
    stored(objects, base, KEY, b"x")

    assert objects.delete(base, KEY)
    assert not objects.delete(base, KEY)
    with pytest.raises(ObjectMissingError):
        objects.open(base, KEY)


@pytest.mark.parametrize("key", ["", ".", "..", "../x", "a/../../x", "/etc/passwd", "a\0b"])
def test_no_key_leads_out(objects: Objects, base: str, key: str) -> None:
    """Whatever an old record says its path is, nothing outside of the target is touched."""
    for act in (objects.create, objects.open, objects.delete, objects.exists):
        with pytest.raises(ObjectError):
            act(base, key)


def test_no_link_leads_out(tmp_path: Path) -> None:
    """A folder below the target that is a link to another place is not followed."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "x").write_text("mine")
    base = tmp_path / "target"
    base.mkdir()
    (base / "link").symlink_to(outside)

    with pytest.raises(ObjectError):
        DiskObjects().delete(str(base), "link/x")

    assert (outside / "x").read_text() == "mine"


def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    """A base path that is a file is an error of the object's, not a traceback of the system's."""
    (tmp_path / "file").write_text("")

    with pytest.raises(ObjectError, match="cannot be written"):
        DiskObjects().create(str(tmp_path / "file"), KEY)
