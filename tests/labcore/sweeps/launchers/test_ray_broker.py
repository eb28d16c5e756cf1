"""The broker between controller and Ray, with a Ray that is made by hand."""

import importlib.util
import os
import shutil
import signal
import socket
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from labcore.errors import RequirementError, RunFailed
from labcore.record.process import ProcessId
from labcore.sweeps.launchers import ray_broker, ray_cluster, supervise
from labcore.sweeps.launchers.notes import Job, Order, Place
from labcore.sweeps.launchers.ray_broker import answer
from labcore.sweeps.launchers.ray_cluster import Node, RayCluster
from labcore.sweeps.trial import TrialRequest
from tests.labcore.sweeps.sweeping import wait_until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="it is for Linux and macOS")

FAKE = Path(__file__).with_name("fake_ray.py")


@pytest.fixture
def fake(monkeypatch):
    spec = importlib.util.spec_from_file_location("ray", FAKE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setitem(sys.modules, "ray", module)
    return module


@pytest.fixture
def order(tmp_path):
    request = TrialRequest(
        sweep="s", number=0, overrides=(), lock=tmp_path / "0000.lock", folder=tmp_path / "run"
    )
    return Order(name="s-0000-1", request=request, folder=str(tmp_path))


class Actor:
    """Stands in for the trial's actor."""

    asked: list[str] = []  # noqa: RUF012  # shared on purpose

    def __init__(self, order):
        self.asked.append(order.name)

    def end(self, *, at_once):
        self.asked.append("kill" if at_once else "stop")


@pytest.fixture
def actor(monkeypatch):
    monkeypatch.setattr(ray_broker, "TrialActor", Actor)
    Actor.asked.clear()
    return Actor


def test_an_own_cluster_has_no_dashboard_and_an_existing_one_is_only_joined(fake):
    assert answer(ray_broker.connect, "", 4, 0) == ([(4, 2), (2, 0)], "")
    assert fake._calls[0]["address"] == "local"
    assert fake._calls[0]["include_dashboard"] is False
    answer(ray_broker.connect, "a:1", 4, 0)
    assert fake._calls[1] == {"address": "a:1", "namespace": "lab"}


def test_an_actor_is_detached_named_and_takes_its_share(fake, order, actor):
    assert answer(ray_broker.submit, order, 2, 1) == (None, "")
    assert fake._calls == [
        {
            "name": "s-0000-1",
            "lifetime": "detached",
            "num_cpus": 2,
            "num_gpus": 1,
            "max_restarts": 0,
        }
    ]
    assert answer(ray_broker.alive) == ({"s-0000-1"}, "")
    for has_begun, at_once in [(True, False), (True, True), (False, False)] * 2:
        assert answer(ray_broker.end, "s-0000-1", has_begun, at_once) == (None, "")
    assert actor.asked == ["s-0000-1", "stop", "kill"]
    assert answer(ray_broker.alive) == (set(), "")


def test_a_failure_is_an_answer(fake, order, actor):
    answer(ray_broker.submit, order, 1, 0)
    assert "the name s-0000-1 is taken" in answer(ray_broker.submit, order, 1, 0)[1]


def test_an_actor_supervises_from_the_moment_it_is_made_and_then_leaves(order, monkeypatch):
    left, ended = threading.Event(), threading.Event()

    def run(actor):
        ended.wait(10.0)
        raise RuntimeError("whatever it is, the CPUs are given back")

    monkeypatch.setattr(supervise.Supervisor, "run", run)
    monkeypatch.setattr(supervise, "_leave", left.set)
    monkeypatch.setattr(threading, "excepthook", lambda *_: None)
    supervise.TrialActor(order)
    assert not left.is_set()
    ended.set()
    assert left.wait(10.0)


@pytest.fixture
def on_path(tmp_path, monkeypatch):
    """Lets the broker's process find the Ray that is made by hand."""
    folder = tmp_path / "packages"
    folder.mkdir()
    shutil.copyfile(FAKE, folder / "ray.py")
    monkeypatch.setenv("PYTHONPATH", str(folder))


@pytest.fixture
def cluster(on_path, tmp_path):
    made = RayCluster(address="", num_cpus=4, num_gpus=0, log=tmp_path / "ray.log")
    yield made
    made.close()


@pytest.fixture
def started(cluster, order):
    """A trial whose actor waits for room."""
    return cluster.submit(order)


def test_the_machines_of_a_cluster_are_known_when_it_is_connected_to(cluster):
    assert cluster.nodes == [Node(4, 2), Node(2, 0)]
    assert cluster.is_gone(Job(name="nobody"))


def test_a_job_that_waits_is_withdrawn(cluster, started):
    cluster.end(started, None, at_once=False)
    wait_until(lambda: cluster.is_gone(started))
    cluster.end(started, None, at_once=True)


def test_where_a_trial_is_depends_on_the_cluster(cluster):
    place = Place(name="n", owner=ProcessId(host="node7.net", pid=1))
    assert cluster.where(Job(name="n"), None) == "waits for Ray"
    assert cluster.where(Job(name="n"), place) == "ray"
    cluster._address = "auto"
    assert cluster.where(Job(name="n"), place) == "node7"
    assert "disk" in cluster.advice(Job(name="n"))


def test_a_broker_that_has_died_is_replaced(cluster):
    first = cluster._broker
    os.kill(first.pid, signal.SIGKILL)
    assert cluster.is_gone(Job(name="nobody"))
    assert cluster._broker.pid != first.pid


def test_a_broker_that_hangs_is_replaced(cluster, monkeypatch):
    first = cluster._broker
    os.kill(first.pid, signal.SIGSTOP)
    monkeypatch.setattr(ray_cluster, "_ANSWER_S", 3.0)
    assert cluster.is_gone(Job(name="nobody"))
    assert not psutil.pid_exists(first.pid)


def test_what_ray_cannot_do_is_told_with_its_log(cluster, started, order):
    with pytest.raises(RunFailed, match="the name s-0000-1 is taken") as error:
        cluster.submit(order)
    assert "ray.log" in str(error.value)


def test_a_cluster_that_cannot_be_started_leaves_no_process(on_path):
    with pytest.raises(RunFailed, match=r"could not be started .* there is no room$"):
        RayCluster(address="", num_cpus=99, num_gpus=0, log=None)


def test_an_address_at_which_nobody_listens_is_told_at_once():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        began = time.monotonic()
        with pytest.raises(RequirementError, match=f"answers at 127.0.0.1:{port}") as error:
            RayCluster(address=f"127.0.0.1:{port}", num_cpus=1, num_gpus=0, log=None)
    assert time.monotonic() - began < 10.0
    assert "ray start --head" in str(error.value)


def test_a_closed_cluster_may_be_closed_again(cluster):
    cluster.close()
    cluster.close()
