"""The calls to W&B's server, over HTTP, and what its refusals and silences become."""

import socket
import threading

import pytest

from labcore.errors import LabError, RequirementError, UsageError
from labcore.sweeps.wandb_engine import NotThere, SweepAddress, Unreachable, WandbServer
from labcore.sweeps.wandb_engine import server as server_module
from labcore.sweeps.wandb_engine.connection import Connection
from labcore.sweeps.wandb_engine.server import is_logged_in
from tests.labcore.sweeps.wandb_stub import ENTITY, WandbStub


@pytest.fixture
def stub(monkeypatch, tmp_path):
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("WANDB_CONFIG_DIR", str(tmp_path))
    monkeypatch.delenv("WANDB_MODE", raising=False)
    with WandbStub() as stub:
        for name, value in stub.environment.items():
            monkeypatch.setenv(name, value)
        yield stub


@pytest.fixture
def address(stub):
    sweep = stub.state.create_sweep("p", "{method: random, parameters: {amount: {value: 3}}}")
    return SweepAddress(entity=ENTITY, project="p", id=sweep.name)


def test_a_sweep_s_address_is_read_and_written_as_on_its_page(monkeypatch):
    address = SweepAddress.parse("team/my project/ab12")
    assert (address.entity, address.project, address.id) == ("team", "my project", "ab12")
    assert str(address) == "team/my project/ab12"
    monkeypatch.delenv("WANDB_BASE_URL", raising=False)
    monkeypatch.setenv("WANDB_CONFIG_DIR", "/nowhere")
    assert address.url == "https://wandb.ai/team/my%20project/sweeps/ab12"
    monkeypatch.setenv("WANDB_BASE_URL", "https://wandb.example.org/")
    assert address.url == "https://wandb.example.org/team/my%20project/sweeps/ab12"


@pytest.mark.parametrize("text", ["ab12", "project/ab12", "a/b/c/d", "a//c"])
def test_an_address_without_its_three_parts_is_refused(text):
    with pytest.raises(UsageError, match="ENTITY/PROJECT/ID"):
        SweepAddress.parse(text)


def test_the_account_s_entity_is_asked_for(stub):
    assert WandbServer().default_entity() == ENTITY


def test_an_agent_gets_its_trial_with_plain_values(stub, address):
    server = WandbServer()
    agent = server.create_agent(address)
    (command,) = server.heartbeat(agent, [])
    assert (command.kind, command.values) == ("run", {"amount": 3})
    assert server.heartbeat(agent, [command.run_id]) == []
    stub.stop(stub.runs[0])
    (command,) = server.heartbeat(agent, [command.run_id])
    assert command.kind == "stop"


def test_a_run_that_could_not_speak_is_told_as_failed_with_its_values(stub, address):
    server = WandbServer()
    (command,) = server.heartbeat(server.create_agent(address), [])
    server.report_end(address, command.run_id, command.values, exit_code=3)
    (run,) = stub.runs
    assert (run.state, run.exit_code, run.config) == ("failed", 3, {"amount": 3})
    assert run.sweep == address.id


def test_an_unfinished_run_that_could_not_speak_is_given_to_the_next_agent(stub, address):
    server = WandbServer()
    (first,) = server.heartbeat(server.create_agent(address), [])
    server.report_end(address, first.run_id, first.values, exit_code=143, is_unfinished=True)
    assert stub.runs[0].state == "preempted"
    (again,) = server.heartbeat(server.create_agent(address), [])
    assert (again.kind, again.run_id, again.values) == ("resume", first.run_id, first.values)


def test_a_cancelled_sweep_sends_its_agents_home(stub, address):
    server = WandbServer()
    agent = server.create_agent(address)
    stub.sweep.state = "CANCELED"
    assert [command.kind for command in server.heartbeat(agent, ["run1"])] == ["stop", "exit"]


def test_what_does_not_exist_is_said_to_be_missing(stub, address):
    server = WandbServer()
    other = SweepAddress(entity=ENTITY, project="p", id="nothing")
    with pytest.raises(NotThere, match="sweep not found"):
        server.create_agent(other)
    agent = server.create_agent(address)
    stub.delete_sweep()
    with pytest.raises(NotThere):
        server.heartbeat(agent, [])


@pytest.mark.parametrize(("how", "says"), [("error", "status 500"), ("close", "does not answer")])
def test_a_server_that_is_out_of_order_is_unreachable_until_it_is_back(stub, how, says):
    server = WandbServer()
    stub.break_down(how)
    with pytest.raises(Unreachable, match=says):
        server.default_entity()
    stub.come_back()
    assert server.default_entity() == ENTITY


def test_a_server_that_is_not_there_is_unreachable(stub, monkeypatch):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    monkeypatch.setenv("WANDB_BASE_URL", f"http://127.0.0.1:{port}")
    with pytest.raises(Unreachable, match=f"127.0.0.1:{port}"):
        WandbServer().default_entity()


def test_a_server_that_says_nothing_is_unreachable_after_a_while(stub, monkeypatch):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        monkeypatch.setenv("WANDB_BASE_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(Unreachable, match="timed out"):
            WandbServer(timeout_s=0.2).default_entity()


@pytest.mark.parametrize("answer", [b"<html>log in to the hotel</html>", b"[]", b"{}"])
def test_a_page_in_place_of_an_answer_is_no_answer(answer):
    with _answering(answer) as url, pytest.raises(Unreachable, match="does not answer as W&B"):
        Connection(url, "key").graphql("query", {})


def test_a_refused_key_says_how_to_log_in(stub, monkeypatch):
    monkeypatch.setenv("WANDB_API_KEY", "x" * 40)
    with pytest.raises(RequirementError, match="not logged in") as caught:
        WandbServer().default_entity()
    assert "wandb login" in (caught.value.fix or "")


def test_no_key_at_all_says_how_to_log_in_or_to_do_without(stub, monkeypatch):
    monkeypatch.delenv("WANDB_API_KEY")
    with pytest.raises(RequirementError, match=stub.url) as caught:
        WandbServer()
    assert "--engine local" in (caught.value.fix or "")


def test_an_operation_that_fails_says_what_the_server_said(stub):
    connection = Connection(stub.url, stub.environment["WANDB_API_KEY"])
    with pytest.raises(LabError, match="unknown operation Guess"):
        connection.graphql("query Guess { guess }", {})


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, LabError), (403, RequirementError), (404, NotThere), (429, Unreachable)],
)
def test_each_refusal_has_its_own_meaning(status, kind):
    text = b'{"errors": [{"message": "because"}]}'
    with _answering(text, status) as url, pytest.raises(kind) as caught:
        Connection(url, "key").post("/x", {})
    assert type(caught.value) is kind
    assert str(status) in str(caught.value) or "because" in str(caught.value)


def test_logged_in_means_that_wandb_is_there_with_a_key_and_not_switched_off(stub, monkeypatch):
    monkeypatch.setattr(server_module, "find_spec", lambda name: object())
    assert is_logged_in()
    monkeypatch.setenv("WANDB_MODE", "offline")
    assert not is_logged_in()
    monkeypatch.delenv("WANDB_MODE")
    monkeypatch.setattr(server_module, "find_spec", lambda name: None)
    assert not is_logged_in()
    monkeypatch.setattr(server_module, "find_spec", lambda name: object())
    monkeypatch.delenv("WANDB_API_KEY")
    assert not is_logged_in()


class _answering:
    """Answers one request with the given body."""

    def __init__(self, body: bytes, status: int = 200) -> None:
        head = f"HTTP/1.1 {status} Word\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        self._answer = head.encode() + body

    def __enter__(self) -> str:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def _serve(self) -> None:
        client, _ = self._socket.accept()
        with client:
            client.settimeout(5)
            asked = b""
            while b"\r\n\r\n" not in asked:
                asked += client.recv(65536)
            head, _, body = asked.partition(b"\r\n\r\n")
            length = next(
                int(line.split(b":")[1])
                for line in head.splitlines()
                if line.lower().startswith(b"content-length")
            )
            while len(body) < length:
                body += client.recv(65536)
            client.sendall(self._answer)

    def __exit__(self, *error: object) -> None:
        self._thread.join(5)
        self._socket.close()
