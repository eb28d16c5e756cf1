"""Sweeps on Ray: a cluster of this machine, and one of two nodes of which one is lost."""

import contextlib
import json
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from labcore.errors import RunFailed
from labcore.record.status import read_status
from labcore.sweeps.launchers.ray_cluster import RayCluster
from labcore.sweeps.launchers.remote import RemoteStarter
from labcore.sweeps.local.engine import conduct
from labcore.sweeps.prepare import reopen
from labcore.sweeps.trial import Launcher
from tests.labcore.sweeps.launchers.remote import place_of
from tests.labcore.sweeps.sweeping import SWEEP, Heard, begin, environment, go, wait_until

pytestmark = [
    pytest.mark.ml,
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="the launcher is for Linux and macOS"),
]
pytest.importorskip("optuna", reason="the study is Optuna's")
pytest.importorskip("ray", reason='it is Ray that is tested: pip install -e ".[ray]"')


class Nodes:
    """A cluster with the node ``b`` beside its head, each with room for one trial."""

    def __init__(self, log):
        self._log = log.open("wb")
        self.process = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("ray_nodes.py"), "b"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        self.address, raylet = self.process.stdout.readline().split()
        self.raylet = int(raylet)

    def has(self, place):
        """Whether a trial runs on ``b``."""
        parents = psutil.Process(place.owner.pid).parents()
        return self.raylet in {process.pid for process in parents}

    def lose(self):
        self.process.stdin.write("b\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "gone\n"

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=60)
        self.process.stdout.close()
        self._log.close()


@pytest.fixture(scope="module")
def nodes(tmp_path_factory):
    cluster = Nodes(tmp_path_factory.mktemp("ray") / "nodes.log")
    yield cluster
    cluster.close()


def ray(tmp_path, *overrides, content=SWEEP, agents=2, **settings):
    return begin(tmp_path, content, *overrides, launcher="ray", agents=agents, **settings)


def steps_of(record):
    lines = (record.folder / "metrics.jsonl").read_text().splitlines()
    return [json.loads(line)["step"] for line in lines]


def start_controller(tmp_path):
    with (tmp_path / "said.txt").open("ab") as stream:
        return subprocess.Popen(
            [sys.executable, "-m", "labcore", "sweep", "--resume", "s"],
            cwd=tmp_path,
            env=environment(tmp_path),
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def test_trials_outlive_a_killed_controller_on_a_cluster_and_are_found_again(tmp_path, toy, nodes):
    content = {**SWEEP, "run_cap": 3}
    folder = ray(
        tmp_path, "pause_s=1.0", "steps=8", content=content, ray_address=nodes.address, agents=3
    )
    controller = start_controller(tmp_path)
    runs = tmp_path / "runs" / "toy"
    wait_until(lambda: len(list(runs.glob("*/checkpoints/state.pt"))) == 2, 90)
    controller.kill()
    controller.wait()
    heard = Heard()
    ended, records = go(folder, heard)
    assert ended.state == "finished"
    # The third waits for room on the cluster, not for a controller.
    assert [heard.kinds(number)[0] for number in range(3)] == ["adopted"] * 3
    assert [record.outcome for record in records] == ["completed"] * 3
    for record in records:
        assert steps_of(record) == list(range(1, 9))
        assert read_status(record.folder).resumes == 0
    assert "waits for Ray" in heard.places
    assert any(device.endswith(" CPU") for device in heard.places)


def test_all_trials_have_a_result_though_a_node_is_lost_on_the_way(tmp_path, toy, nodes):
    content = {**SWEEP, "run_cap": 6}
    folder = ray(
        tmp_path, "pause_s=0.5", "steps=8", content=content, ray_address=nodes.address, retries=0
    )
    lost = []

    def lose(kind, record):
        if kind != "started" or record.number != 1:
            return
        runs = [record.folder.with_name(f"s-000{number}") for number in (0, 1)]
        wait_until(lambda: all((run / "checkpoints" / "state.pt").exists() for run in runs), 60)
        lost.extend(number for number in (0, 1) if nodes.has(place_of(folder, number)))
        nodes.lose()

    heard = Heard(lose)
    ended, records = go(folder, heard)
    assert ended.state == "finished"
    assert len(lost) == 1
    assert heard.kinds(lost[0]) == ["started", "again", "resumed", "ended"]
    assert [record.outcome for record in records] == ["completed"] * 6
    for record in records:
        assert steps_of(record) == list(range(1, 9))
        assert read_status(record.folder).resumes == (record.number in lost)


def test_a_worker_that_is_killed_takes_its_trial_along_after_a_checkpoint(tmp_path, toy):
    """It would otherwise go on beside the one that is started in its place."""
    folder = ray(tmp_path, "pause_s=0.4", "steps=20", content={**SWEEP, "run_cap": 2})

    def act(kind, record):
        if kind == "started" and record.number == 1:
            wait_until((record.folder / "checkpoints" / "state.pt").exists, 60)
            psutil.Process(place_of(folder, 1).owner.pid).parent().kill()
        if kind == "resumed":
            wait_until(lambda: read_status(record.folder).state == "running", 60)
            folder.ask_to_stop()

    heard = Heard(act)
    ended, records = go(folder, heard)
    assert ended.state == "interrupted"
    assert heard.kinds(1) == ["started", "again", "resumed", "again"]
    for record in records:
        assert read_status(record.folder).state == "interrupted"
        checkpoint = (record.folder / "checkpoints" / "state.pt").read_text()
        assert steps_of(record) == list(range(1, int(checkpoint) + 1))
    assert "ray CPU" in heard.places


def test_trials_on_this_machine_end_with_a_killed_controller_and_lose_nothing(tmp_path, toy):
    folder = ray(tmp_path, "pause_s=0.4", "steps=10", content={**SWEEP, "run_cap": 2})
    controller = start_controller(tmp_path)
    runs = tmp_path / "runs" / "toy"
    wait_until(lambda: len(list(runs.glob("*/checkpoints/state.pt"))) == 2, 90)
    trials = [place_of(folder, number).owner for number in (0, 1)]
    controller.kill()
    controller.wait()
    wait_until(lambda: not any(each.is_alive(0.0) for each in trials), 60)
    ended, records = go(folder)
    assert ended.state == "finished"
    assert [record.outcome for record in records] == ["completed"] * 2
    assert [record.failures for record in records] == [0, 0]
    for record in records:
        assert steps_of(record) == list(range(1, 11))
        assert read_status(record.folder).resumes == 1


def test_what_ray_says_when_it_cannot_start_is_told():
    with pytest.raises(RunFailed, match="Ray could not be started on this machine: ValueError"):
        RayCluster(address="", num_cpus=-1, num_gpus=0, log=None)


def test_trials_at_the_same_time_see_different_gpus(tmp_path, toy, monkeypatch):
    """Ray counts GPUs; here it is told of two, and the trials do not use them."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)  # a run in this process may set it
    folder = ray(tmp_path, "pause_s=0.3", content={**SWEEP, "run_cap": 2})
    cluster = RayCluster(address="", num_cpus=2, num_gpus=2, log=tmp_path / "ray.log")
    cluster.trial_gpus = 1
    prepared, settings = reopen(folder)
    starter = RemoteStarter(cluster, threads=1, env={})
    with contextlib.closing(starter):
        conduct(
            folder,
            prepared,
            settings,
            Launcher(starter=starter, agents=2),
            watch=Heard(),
        )
    runs = sorted((tmp_path / "runs" / "toy").iterdir())
    seen = [(run / "gpus.txt").read_text() for run in runs]
    assert sorted(seen) == ["0", "1"]
