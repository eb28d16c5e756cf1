"""Fetching from a web server that runs on this machine: whole, in parts, and in vain."""

import hashlib
import http.server
import io
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from labcore.data import ensure, state, url, verify
from labcore.errors import RequirementError
from labcore.plugin import Dataset, Plugin
from tests.labcore.data.toys import files_below, plugin_with

CONTENT = bytes(range(256)) * 400


class Server(http.server.ThreadingHTTPServer):
    """Serves ``files`` and remembers from which byte each was asked for.

    Attributes:
        ranges: Whether it can go on in the middle of a file.
        cut: Bytes after which it breaks a connection, again and again; 0 for never.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {"/data/set.bin": CONTENT}
        self.asked: list[int] = []
        self.ranges = True
        self.cut = 0

    def address(self, path: str = "/data/set.bin") -> str:
        return f"http://127.0.0.1:{self.server_port}{path}"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        content = self.server.files.get(self.path)
        if content is None:
            self.send_error(404)
            return
        wanted = self.headers.get("Range", "bytes=0-")
        start = int(wanted.removeprefix("bytes=").removesuffix("-"))
        self.server.asked.append(start)
        start = start if self.server.ranges else 0
        if start >= len(content):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        end = start + self.server.cut if self.server.cut else None
        self.wfile.write(content[start:end])

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Server() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def fetch(server: Server, tmp_path: Path, content: bytes = CONTENT, **options) -> Path:
    return url.download(
        server.address(), sha(content), tmp_path, downloads=tmp_path / "downloads", **options
    )


def stop_half_way(server: Server, tmp_path: Path) -> Path:
    """Leaves what a killed process leaves; returns the partial file."""

    class Killed(BaseException):
        pass

    def kill(done: int, total: int | None) -> None:
        raise Killed

    server.cut = 30_000
    with pytest.raises(Killed):
        fetch(server, tmp_path, progress=kill)
    server.cut = 0
    server.asked.clear()
    partial = url.partial_file(server.address(), sha(CONTENT), tmp_path / "downloads")
    assert 0 < partial.stat().st_size <= 30_000
    return partial


def test_a_file_is_fetched_with_progress(server, tmp_path):
    seen = []
    path = fetch(server, tmp_path, progress=lambda *done: seen.append(done))
    assert path.read_bytes() == CONTENT
    assert seen[-1] == (len(CONTENT), len(CONTENT))


def test_a_download_goes_on_where_a_killed_process_left_it(server, tmp_path):
    begun = stop_half_way(server, tmp_path).stat().st_size
    seen = []
    path = fetch(server, tmp_path, progress=lambda *done: seen.append(done))
    assert server.asked == [begun]
    assert path.read_bytes() == CONTENT
    assert seen[0][0] > begun
    assert seen[-1] == (len(CONTENT), len(CONTENT))


def test_a_server_that_cannot_go_on_sends_the_whole_file_again(server, tmp_path):
    stop_half_way(server, tmp_path)
    server.ranges = False
    assert fetch(server, tmp_path).read_bytes() == CONTENT


def test_a_beginning_of_another_file_is_thrown_away(server, tmp_path):
    stop_half_way(server, tmp_path).write_bytes(b"other" * 1000)
    assert fetch(server, tmp_path).read_bytes() == CONTENT
    assert server.asked == [5000, 0]


def test_a_file_that_was_whole_already_is_not_fetched_again(server, tmp_path):
    fetch(server, tmp_path)
    server.asked.clear()
    assert fetch(server, tmp_path).read_bytes() == CONTENT
    assert server.asked == [len(CONTENT)]


def test_a_connection_that_breaks_is_taken_up_again_while_that_gets_further(server, tmp_path):
    server.cut = 40_000
    assert fetch(server, tmp_path).read_bytes() == CONTENT
    assert server.asked == [0, 40_000, 80_000]


def test_another_file_is_refused_with_both_checksums_and_removed(server, tmp_path):
    with pytest.raises(RequirementError) as caught:
        fetch(server, tmp_path, content=b"declared")
    assert sha(CONTENT) in caught.value.message
    assert sha(b"declared") in caught.value.message
    assert not list((tmp_path / "downloads").glob(".*.part"))


def test_a_server_that_has_no_such_file_is_quoted(server, tmp_path):
    server.files.clear()
    with pytest.raises(RequirementError, match="the server answers 404 Not Found") as caught:
        fetch(server, tmp_path)
    assert "check the address" in str(caught.value.fix)


def test_without_a_network_the_message_says_which_file_to_put_where(tmp_path, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    address, downloads = "http://127.0.0.1:9/set.zip", tmp_path / "downloads"
    with pytest.raises(RequirementError, match="cannot be reached") as caught:
        url.download(address, "a" * 64, tmp_path, downloads=downloads)
    fix = f"download {address} (sha256 aaaaaaaaaaaa...) elsewhere and put it in {downloads}"
    assert fix in str(caught.value.fix)
    assert caught.value.exit_code == 3


def test_a_file_put_there_by_hand_is_used_and_no_server_asked(server, tmp_path):
    (tmp_path / "downloads").mkdir()
    (tmp_path / "downloads" / "set.bin").write_bytes(CONTENT)
    assert fetch(server, tmp_path) == tmp_path / "downloads" / "set.bin"
    assert server.asked == []


def dataset(server: Server, path: str, **options) -> tuple[Plugin, Dataset]:
    source = f"url:{server.address(path)}"
    digest = sha(server.files[path])
    declared = Dataset(name="set", summary="", licence="", source=source, sha256=digest, **options)
    return plugin_with(declared), declared


def test_an_archive_becomes_a_dataset_of_its_members_that_are_asked_for(server, tmp_path):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("set/a.txt", b"one")
        archive.writestr("set/code.py", b"#")
    server.files["/set.zip?raw=1"] = packed.getvalue()
    plugin, declared = dataset(server, "/set.zip?raw=1", members=("**/*.txt",))
    assert state(plugin, declared, tmp_path).state == "absent"
    folder = ensure(plugin, declared, tmp_path)
    assert files_below(folder) == ["set/a.txt"]
    assert verify(plugin, declared, tmp_path).state == "present"
    assert not list((tmp_path / "downloads").glob(".*.part"))


def test_an_archive_without_a_suffix_is_unpacked_when_members_are_asked_for(server, tmp_path):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.txt", b"one")
    server.files["/files/1234"] = packed.getvalue()
    plugin, declared = dataset(server, "/files/1234", members=("**",))
    assert files_below(ensure(plugin, declared, tmp_path)) == ["a.txt"]


def test_a_file_that_is_no_archive_is_kept_as_it_is(server, tmp_path):
    plugin, declared = dataset(server, "/data/set.bin")
    assert (ensure(plugin, declared, tmp_path) / "set.bin").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://x.org/a/b.tar.gz?download=1", "b.tar.gz"),
        ("https://x.org/a/my%20set.zip", "my_set.zip"),
        ("https://x.org/a/..%2F..%2Fevil", "evil"),
        ("https://x.org/", "file"),
        ("https://x.org/a/%2e%2e", "file"),
    ],
)
def test_a_file_is_called_as_its_address_says_and_stays_in_its_folder(address, name):
    assert url.file_name(address) == name
