"""The files of agents under test."""

from pathlib import Path

import pytest

from harness.disk import WRITTEN_S, Disk, OutsideError


def test_what_is_written_can_be_looked_at(tmp_path: Path) -> None:
    """Folders, texts, sizes and links, in the order of their paths."""
    disk = Disk(str(tmp_path))
    disk.write(
        f"{tmp_path}/data",
        {"b/ü.txt": "hello", "a": {"size": 5_000}, "link": {"link": "a"}, "c/": "", "empty": ""},
    )

    files = disk.files(f"{tmp_path}/data")

    assert [(one["path"], one["kind"]) for one in files] == [
        ("a", "file"),
        ("b", "folder"),
        ("b/ü.txt", "file"),
        ("c", "folder"),
        ("empty", "file"),
        ("link", "link"),
    ]
    assert (files[0]["size"], "text" in files[0]) == (5_000, False)
    assert (files[2]["size"], files[2]["text"]) == (5, "hello")
    assert files[4]["size"] == 0
    assert files[5]["to"] == "a"


def test_the_same_files_are_written_every_time(tmp_path: Path) -> None:
    """Their bytes, times and modes are the same on every machine; other names have other bytes."""
    disk = Disk(str(tmp_path))
    for folder in ("one", "two"):
        disk.write(f"{tmp_path}/{folder}", {"x": {"size": 100}, "y": {"size": 100}})

    one, two = disk.files(f"{tmp_path}/one"), disk.files(f"{tmp_path}/two")

    assert one == two
    assert one[0]["sha256"] != one[1]["sha256"]
    for path in (tmp_path / "one", tmp_path / "one" / "x"):
        assert path.stat().st_mtime == WRITTEN_S
    assert (tmp_path / "one" / "x").stat().st_mode & 0o777 == 0o644


def test_what_is_removed_is_gone(tmp_path: Path) -> None:
    """A file, or a folder with all in it; once more is no matter."""
    disk = Disk(str(tmp_path))
    disk.write(f"{tmp_path}/data", {"a/b": "x", "c": "y"})
    for _ in range(2):
        disk.remove(f"{tmp_path}/data/a")
        disk.remove(f"{tmp_path}/data/c")

    assert disk.files(f"{tmp_path}/data") == []
    assert disk.file(f"{tmp_path}/data/c") is None
    assert disk.file(f"{tmp_path}/data") == {"path": "data", "kind": "folder"}


@pytest.mark.parametrize("path", ["/etc/passwd", "{root}/../other", "{root}x/y"])
def test_nothing_outside_is_touched(tmp_path: Path, path: str) -> None:
    """A path that leads out is refused, to look at as to remove."""
    root = tmp_path / "own"
    (tmp_path / "other").mkdir()
    disk = Disk(str(root))

    for act in (disk.file, disk.files, disk.remove):
        with pytest.raises(OutsideError):
            act(path.format(root=root))

    assert (tmp_path / "other").is_dir()
