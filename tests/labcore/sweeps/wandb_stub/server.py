"""The HTTP side of the stub: who may ask, what was asked, and how it can break down."""

import base64
import gzip
import json
import re
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Literal

from tests.labcore.sweeps.wandb_stub.graphql import NotFound, answer, operation_of
from tests.labcore.sweeps.wandb_stub.state import State, StubRun, StubSweep

__all__ = ["API_KEY", "ENTITY", "Call", "WandbStub"]

API_KEY = "0123456789abcdef" * 2 + "01234567"
ENTITY = "lab-tests"
_STREAM = re.compile(r"/files/(?P<entity>[^/]+)/(?P<project>[^/]+)/(?P<run>[^/]+)/file_stream\Z")
Outage = Literal["error", "close"]


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request that the stub answered."""

    path: str
    operation: str
    """The GraphQL operation; ``file_stream`` or ``upload`` for the others."""
    variables: Mapping[str, Any]
    query: str = ""


class WandbStub:
    """W&B's server, as far as sweeps need one.

    Use as a context manager; :attr:`url` is what ``WANDB_BASE_URL`` is to be.

    Attributes:
        state: Sweeps, agents and runs.
        calls: Every request, in order; those during an outage are not among them.
        files: Uploaded files, by ``RUN/NAME``.
        unknown: GraphQL operations and paths that the stub had no answer for.
    """

    def __init__(self, *, entity: str = ENTITY) -> None:
        self.entity = entity
        self.api_key = API_KEY
        self.state = State()
        self.calls: list[Call] = []
        self.files: dict[str, bytes] = {}
        self.unknown: list[str] = []
        self.turned_away = 0
        self._outage: Outage | None = None
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.stub = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def __enter__(self) -> "WandbStub":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """The server's address."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def environment(self) -> dict[str, str]:
        """Variables that lead W&B's client here, logged in."""
        return {"WANDB_BASE_URL": self.url, "WANDB_API_KEY": self.api_key}

    def plan(self, *trials: Mapping[str, Any]) -> None:
        """Gives the trials of the next sweep that is created."""
        self.state.scripts.append(list(trials))

    @property
    def sweep(self) -> StubSweep:
        """The only sweep."""
        (sweep,) = self.state.sweeps.values()
        return sweep

    @property
    def runs(self) -> list[StubRun]:
        """All runs, in the order in which they were handed out."""
        with self.state.lock:
            return list(self.state.runs.values())

    def stop(self, run: StubRun) -> None:
        """Asks for the end of a run, as early termination or the page's button does."""
        with self.state.lock:
            run.should_stop = True

    def delete_sweep(self) -> None:
        """Removes the only sweep."""
        with self.state.lock:
            self.state.sweeps.clear()

    def break_down(self, how: Outage) -> None:
        """Answers everything with status 500, or closes every connection."""
        self._outage = how

    def come_back(self) -> None:
        """Ends :meth:`break_down`."""
        self._outage = None

    def operations(self) -> list[str]:
        """Names of all calls, in order."""
        return [call.operation for call in list(self.calls)]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    stub: WandbStub

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that are killed leave half a request; that is part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class's name
        """Says nothing."""

    def do_POST(self) -> None:
        stub = self.server.stub
        body = self._body()
        if self._is_out(stub) or not self._may_ask():
            return
        text = json.loads(body or b"{}")
        if self.path == "/graphql":
            self._graphql(stub, text)
            return
        match = _STREAM.match(self.path)
        if match is None:
            stub.unknown.append(self.path)
            self._send(404, {"error": "unknown path"})
            return
        stub.calls.append(Call(path=self.path, operation="file_stream", variables=text))
        with stub.state.lock:
            run = stub.state.stream(match["run"], text)
        if run is None:
            self._send(404, {"error": "run not found"})
        else:
            self._send(200, {"limits": {}, "stopped": run.should_stop})

    def do_PUT(self) -> None:
        stub = self.server.stub
        body = self._body()
        if self._is_out(stub):
            return
        name = self.path.removeprefix("/storage/")
        stub.files[name] = body
        stub.calls.append(Call(path=self.path, operation="upload", variables={"name": name}))
        self._send(200, {})

    def _graphql(self, stub: WandbStub, text: Mapping[str, Any]) -> None:
        query, variables = text["query"], text.get("variables") or {}
        operation = operation_of(query)
        stub.calls.append(
            Call(path=self.path, operation=operation, variables=variables, query=query)
        )
        try:
            data = answer(stub, query, variables)
        except NotFound as error:
            self._send(404, {"errors": [{"message": str(error)}]})
            return
        if data is None:
            stub.unknown.append(operation)
            self._send(200, {"errors": [{"message": f"unknown operation {operation}"}]})
        else:
            self._send(200, {"data": data})

    def _body(self) -> bytes:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        return gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body

    def _is_out(self, stub: WandbStub) -> bool:
        if stub._outage is None:
            return False
        stub.turned_away += 1
        if stub._outage == "error":
            self._send(500, {"error": "out of order"})
        else:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        return True

    def _may_ask(self) -> bool:
        expected = base64.b64encode(f"api:{self.server.stub.api_key}".encode()).decode()
        if self.headers.get("Authorization") == f"Basic {expected}":
            return True
        self._send(401, {"errors": [{"message": "user is not logged in"}]})
        return False

    def _send(self, status: int, value: Mapping[str, Any]) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
