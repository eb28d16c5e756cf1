"""Unpacking archives that mean well and archives that do not."""

import contextlib
import io
import resource
import signal
import stat
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from labcore.data.archive import unpack
from labcore.errors import RequirementError


def zip_of(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def tar_of(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for info, content in members:
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def files_below(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def test_a_zip_is_unpacked_with_its_folders(tmp_path, target):
    archive = zip_of(tmp_path / "a.zip", {"x/a.txt": b"A", "x/y/b.txt": b"B"})
    assert unpack(archive, target) == 2
    assert (target / "x/y/b.txt").read_bytes() == b"B"


def test_a_tar_is_unpacked_whatever_its_name(tmp_path, target):
    archive = tar_of(tmp_path / "data.bin", (tarfile.TarInfo("x/a.txt"), b"A"))
    assert unpack(archive, target) == 1
    assert (target / "x/a.txt").read_bytes() == b"A"


@pytest.mark.parametrize(
    ("glob", "expected"),
    [
        ("x/**", ["x/a.mid", "x/y/b.mid", "x/y/c.txt"]),
        ("x/*", ["x/a.mid"]),
        ("**/*.mid", ["x/a.mid", "x/y/b.mid", "z.mid"]),
        ("x/**/*.mid", ["x/a.mid", "x/y/b.mid"]),
        ("?.mid", ["z.mid"]),
    ],
)
def test_only_members_that_fit_a_glob_are_unpacked(tmp_path, target, glob, expected):
    names = ["x/a.mid", "x/y/b.mid", "x/y/c.txt", "z.mid"]
    unpack(zip_of(tmp_path / "a.zip", dict.fromkeys(names, b"1")), target, members=[glob])
    assert files_below(target) == expected


def test_an_archive_without_a_fitting_member_is_an_error(tmp_path, target):
    with pytest.raises(RequirementError, match="no member that fits y/"):
        unpack(zip_of(tmp_path / "a.zip", {"x": b"1"}), target, members=["y/**"])


@pytest.mark.parametrize("name", ["../evil", "x/../../evil", "/etc/evil", "C:/evil", "..\\evil"])
def test_a_path_that_leaves_the_target_is_refused_before_anything_is_written(
    tmp_path, target, name
):
    archive = zip_of(tmp_path / "a.zip", {"good": b"1", name: b"2"})
    with pytest.raises(RequirementError, match="would leave the folder"):
        unpack(archive, target)
    assert files_below(target) == []


def test_a_link_in_a_zip_is_refused(tmp_path, target):
    info = zipfile.ZipInfo("link")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(RequirementError, match="is a link"):
        unpack(tmp_path / "a.zip", target)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_a_link_or_device_in_a_tar_is_refused(tmp_path, target, kind):
    info = tarfile.TarInfo("odd")
    info.type = kind
    info.linkname = "/etc/passwd"
    with pytest.raises(RequirementError, match="link or a device"):
        unpack(tar_of(tmp_path / "a.tar", (info, b"")), target)


def test_a_bomb_is_refused_by_its_ratio(tmp_path, target):
    archive = zip_of(tmp_path / "a.zip", {"zeros": bytes(70 << 20)})
    with pytest.raises(RequirementError, match="would unpack to 73400320 bytes"):
        unpack(archive, target)
    assert files_below(target) == []


def test_a_name_that_comes_twice_is_refused(tmp_path, target):
    twice = [(tarfile.TarInfo("a"), b"1"), (tarfile.TarInfo("a"), b"2")]
    with pytest.raises(RequirementError, match="twice"):
        unpack(tar_of(tmp_path / "a.tar", *twice), target)


@pytest.mark.parametrize("content", [b"", b"no archive at all", b"PK\x03\x04 cut short"])
def test_a_file_that_is_no_archive_is_a_clear_error(tmp_path, target, content):
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(RequirementError, match=r"a\.zip cannot be unpacked"):
        unpack(tmp_path / "a.zip", target)


def test_a_flipped_byte_is_found_by_the_checksum_of_the_zip(tmp_path, target):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("a", b"content")
    data = (tmp_path / "a.zip").read_bytes().replace(b"content", b"contenT", 1)
    (tmp_path / "a.zip").write_bytes(data)
    with pytest.raises(RequirementError, match="cannot be unpacked"):
        unpack(tmp_path / "a.zip", target)


def test_progress_ends_at_the_whole_and_is_told_at_most_a_hundred_times(tmp_path, target):
    seen: list[tuple[int, int | None]] = []
    archive = zip_of(tmp_path / "a.zip", {f"{i:04}": b"12345" for i in range(1000)})
    unpack(archive, target, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (5000, 5000)
    assert len(seen) == 100


def test_progress_ends_at_the_whole_when_the_last_member_is_tiny(tmp_path, target):
    seen: list[tuple[int, int | None]] = []
    archive = zip_of(tmp_path / "a.zip", {"big": b"1" * 1000, "tiny": b"1"})
    unpack(archive, target, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1000, 1001), (1001, 1001)]


@pytest.mark.parametrize(
    "names", [["a" * 300], ["a", "a/b"], ["a/b", "a"], ["/".join(["d" * 200] * 30)], ["."]]
)
def test_a_name_that_no_disk_takes_is_the_archives_fault(tmp_path, target, names):
    archive = tar_of(tmp_path / "a.tar", *[(tarfile.TarInfo(name), b"1") for name in names])
    with pytest.raises(RequirementError, match=r"a\.tar is refused"):
        unpack(archive, target)


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_a_damaged_tar_is_never_taken_for_a_full_disk(tmp_path, mode):
    with tarfile.open(tmp_path / "a", mode) as archive:
        info = tarfile.TarInfo("x/a.txt")
        info.size = 20
        archive.addfile(info, io.BytesIO(bytes(20)))
    whole = (tmp_path / "a").read_bytes()
    for number, position in enumerate(range(0, len(whole), len(whole) // 60 + 1)):
        (tmp_path / "a").write_bytes(whole[:position] + b"\x5a" + whole[position + 1 :])
        (tmp_path / str(number)).mkdir()
        with contextlib.suppress(RequirementError):  # a byte of padding may change
            unpack(tmp_path / "a", tmp_path / str(number))


def test_a_full_disk_is_not_the_archives_fault(tmp_path, target):
    archive = zip_of(tmp_path / "a.zip", {"a": bytes(200)})
    with disk_of_size(100), pytest.raises(OSError, match="too large"):
        unpack(archive, target)


@contextlib.contextmanager
def disk_of_size(num_bytes: int) -> Iterator[None]:
    """Lets no file grow beyond a size, which fails as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (num_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)


def test_a_link_that_nobody_asks_for_is_left_out(tmp_path, target):
    info = tarfile.TarInfo("x/link")
    info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
    archive = tar_of(tmp_path / "a.tar", (info, b""), (tarfile.TarInfo("./x/a.txt"), b"A"))
    unpack(archive, target, members=["x/*.txt"])
    assert files_below(target) == ["x/a.txt"]
