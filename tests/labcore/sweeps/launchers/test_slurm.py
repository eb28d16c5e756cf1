"""Sweeps as jobs: in a queue that behaves like Slurm's, and in submitit's local executor."""

import json
import os
import signal
import subprocess
import sys

import psutil
import pytest

from labcore.record.status import read_status
from labcore.sweeps.launchers.slurm_cluster import read_queue, sbatch_text
from labcore.sweeps.launchers.slurm_options import SlurmOptions
from tests.labcore.sweeps.launchers import stub_slurm
from tests.labcore.sweeps.launchers.remote import notes_of, place_of
from tests.labcore.sweeps.sweeping import SWEEP, Heard, begin, environment, go, wait_until

pytestmark = pytest.mark.ml
pytest.importorskip("optuna", reason="the study is Optuna's")
pytest.importorskip(
    "submitit", reason='jobs are handed over by submitit: pip install -e ".[slurm]"'
)


@pytest.fixture
def queue(tmp_path, monkeypatch, toy):
    """A queue with room for two jobs."""
    for name, value in stub_slurm.install(tmp_path / "slurm").items():
        monkeypatch.setenv(name, value)
    yield tmp_path / "slurm" / "queue"
    for path in (tmp_path / "slurm" / "queue").glob("*.json"):
        pid = stub_slurm.read(path).get("pid")
        if pid is not None and psutil.pid_exists(pid):
            os.killpg(pid, signal.SIGKILL)


def slurm(tmp_path, *overrides, words=(), content=SWEEP, agents=2, **settings):
    return begin(
        tmp_path,
        content,
        *overrides,
        launcher="slurm",
        slurm=tuple(words),
        agents=agents,
        **settings,
    )


def steps_of(record):
    lines = (record.folder / "metrics.jsonl").read_text().splitlines()
    return [json.loads(line)["step"] for line in lines]


def jobs_of(queue):
    return [stub_slurm.read(path) for path in sorted(queue.glob("*.json"))]


def test_every_trial_is_one_job_and_its_place_is_shown(tmp_path, queue):
    folder = slurm(tmp_path, "pause_s=0.2")
    heard = Heard()
    ended, records = go(folder, heard)
    assert (ended.state, ended.message) == ("finished", "")
    assert [record.outcome for record in records] == ["completed"] * 4
    jobs = jobs_of(queue)
    assert len(jobs) == 4
    assert [row["state"] for row in jobs] == ["COMPLETED"] * 4
    for record, job in zip(records, jobs, strict=True):
        assert steps_of(record) == [1, 2, 3, 4]
        assert job["name"].startswith(f"s-{record.number:04}-")
        assert notes_of(folder, record.number).read_job().id == str(job["id"])
    assert heard.places["job 1 CPU"] == 0
    assert heard.places["job 2 CPU"] == 1


def test_more_trials_than_room_wait_in_the_queue(tmp_path, queue):
    heard = Heard()
    content = {**SWEEP, "run_cap": 3}
    _, records = go(slurm(tmp_path, "pause_s=0.3", content=content, agents=3), heard)
    assert [record.outcome for record in records] == ["completed"] * 3
    assert "job 3 waits" in heard.places


def test_a_job_that_reaches_its_limit_writes_a_checkpoint_and_goes_on_in_another(
    tmp_path, queue, monkeypatch
):
    monkeypatch.setenv("STUB_SLURM_LIMIT_S", "16")
    content = {**SWEEP, "run_cap": 1}
    folder = slurm(
        tmp_path, "pause_s=0.5", "steps=16", words=["signal=10"], content=content, agents=1
    )
    heard = Heard()
    _, records = go(folder, heard)
    assert [record.outcome for record in records] == ["completed"]
    assert steps_of(records[0]) == list(range(1, 17))
    assert "again" in heard.kinds(0)
    assert heard.kinds(0)[-2:] == ["resumed", "ended"]
    assert len(jobs_of(queue)) == heard.kinds(0).count("resumed") + 1
    assert read_status(records[0].folder).resumes == heard.kinds(0).count("resumed")


def test_a_job_that_is_killed_goes_on_from_its_checkpoint_in_another(tmp_path, queue):
    folder = slurm(tmp_path, "pause_s=0.2", "steps=8", content={**SWEEP, "run_cap": 2})

    def kill(kind, record):
        if kind == "started" and record.number == 1:
            wait_until((record.folder / "checkpoints" / "state.pt").exists)
            place = place_of(folder, 0)
            supervisor = psutil.Process(place.owner.pid).parent()
            for process in (psutil.Process(place.owner.pid), supervisor):
                process.kill()

    heard = Heard(kill)
    _, records = go(folder, heard)
    assert [record.outcome for record in records] == ["completed"] * 2
    assert heard.kinds(0) == ["started", "again", "resumed", "ended"]
    assert steps_of(records[0]) == list(range(1, 9))
    assert len(jobs_of(queue)) == 3


def test_stopping_lets_running_jobs_write_checkpoints_and_takes_waiting_ones_out(tmp_path, queue):
    folder = slurm(tmp_path, "pause_s=0.3", "steps=12", content={**SWEEP, "run_cap": 3}, agents=3)

    def stop(kind, record):
        if kind == "started" and record.number == 2:
            for number in (0, 1):
                run = record.folder.with_name(f"s-{number:04}")
                wait_until((run / "checkpoints" / "state.pt").exists)
            folder.ask_to_stop()

    ended, records = go(folder, Heard(stop))
    assert ended.state == "interrupted"
    assert [row["state"] for row in jobs_of(queue)] == ["COMPLETED", "COMPLETED", "CANCELLED"]
    for record in records[:2]:
        assert read_status(record.folder).state == "interrupted"
    assert not records[2].folder.exists()
    ended, records = go(folder)
    assert ended.state == "finished"
    assert [record.outcome for record in records] == ["completed"] * 3
    assert [record.failures for record in records] == [0] * 3
    for record in records:
        assert steps_of(record) == list(range(1, 13))


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


def test_jobs_outlive_a_killed_controller_and_the_next_one_finds_them(tmp_path, queue):
    folder = slurm(tmp_path, "pause_s=0.7", "steps=10", content={**SWEEP, "run_cap": 2})
    controller = start_controller(tmp_path)
    runs = tmp_path / "runs" / "toy"
    wait_until(lambda: len(list(runs.glob("*/checkpoints/state.pt"))) == 2, 60)
    controller.kill()
    controller.wait()
    heard = Heard()
    ended, records = go(folder, heard)
    assert ended.state == "finished"
    assert heard.kinds(0)[0] == heard.kinds(1)[0] == "adopted"
    assert [record.outcome for record in records] == ["completed"] * 2
    assert len(jobs_of(queue)) == 2
    for record in records:
        assert steps_of(record) == list(range(1, 11))
        assert read_status(record.folder).resumes == 0


def test_a_queue_that_does_not_answer_is_waited_for(tmp_path, queue):
    folder = slurm(tmp_path, "pause_s=0.4", "steps=8", content={**SWEEP, "run_cap": 1}, agents=1)

    def cut(kind, record):
        (queue / "down").touch()

    _, records = go(folder, Heard(cut))
    assert read_queue() is None
    assert [record.outcome for record in records] == ["completed"]
    assert len(jobs_of(queue)) == 1


def test_a_sweep_whose_jobs_are_all_refused_ends_with_what_sbatch_says(tmp_path, queue):
    folder = slurm(tmp_path, words=["partition=nowhere"])
    heard = Heard()
    ended, records = go(folder, heard, patience=2)
    assert (ended.state, ended.exit_code) == ("failed", 1)
    assert "invalid partition specified: nowhere" in ended.message
    said = [text for kind, text in heard.events if kind == "say"]
    assert "could not be started; again in 1 s" in said[0]
    assert "correct --slurm KEY=VALUE" in said[0]
    assert [record.is_open for record in records] == [True]
    assert folder.status().counts == {"interrupted": 1}


def test_a_job_that_sbatch_refuses_once_is_handed_over_again_and_the_others_run_on(tmp_path, queue):
    def trouble(kind, record):
        if kind == "started" and record.number == 0:
            (queue / "trouble").write_text("2")

    heard = Heard(trouble)
    ended, records = go(slurm(tmp_path, content={**SWEEP, "run_cap": 2}), heard)
    assert ended.state == "finished"
    assert [record.outcome for record in records] == ["completed"] * 2
    assert [record.attempts for record in records] == [0, 0]
    said = [text for kind, text in heard.events if kind == "say"]
    assert ["trial 1 could not be started" in text for text in said] == [True, True]
    assert "again in 2 s" in said[1]
    assert len(jobs_of(queue)) == 2


def test_submitit_runs_the_jobs_on_this_machine_with_their_limit(tmp_path, toy):
    # A minute of which the last 52 seconds are for the checkpoint.
    words = ["executor=local", "time=1", "signal=52"]
    folder = slurm(
        tmp_path, "pause_s=1.0", "steps=9", words=words, content={**SWEEP, "run_cap": 1}, agents=1
    )
    heard = Heard()
    ended, records = go(folder, heard)
    assert ended.state == "finished"
    assert [record.outcome for record in records] == ["completed"]
    assert "resumed" in heard.kinds(0)
    assert steps_of(records[0]) == list(range(1, 10))


def test_submitits_jobs_are_stopped_and_found_again_too(tmp_path, toy):
    words = ["executor=local", "setup=export MARK=1"]
    folder = slurm(tmp_path, "pause_s=0.2", "steps=30", words=words)
    controller = start_controller(tmp_path)
    runs = tmp_path / "runs" / "toy"
    wait_until(lambda: len(list(runs.glob("*/checkpoints/state.pt"))) == 2, 60)
    controller.kill()
    controller.wait()

    def stop(kind, record):
        if kind == "adopted" and record.number == 1:
            folder.ask_to_stop()

    heard = Heard(stop)
    ended, records = go(folder, heard)
    assert ended.state == "interrupted"
    assert heard.kinds(0)[0] == "adopted"
    assert [read_status(record.folder).state for record in records] == ["interrupted"] * 2


def test_the_file_of_a_job_says_what_was_typed(tmp_path):
    words = ["partition=gpu", "account=lab", "time=1-00:30:00", "mem=16g", "signal=60"]
    words += ["constraint=a100", "reservation=mine", "setup=module load cuda", "setup=ulimit -n 1"]
    text = sbatch_text(tmp_path / "jobs", SlurmOptions.read(words), name="s-0000", cpus=8, gpus=2)
    for line in (
        "--partition=gpu",
        "--account=lab",
        "--time=1470",
        "--mem=16G",
        "--signal=USR2@60",
        "--constraint=a100",
        "--reservation=mine",
        "--job-name=s-0000",
        "--cpus-per-task=8",
        "--gpus-per-node=2",
        "--no-requeue",
    ):
        assert f"#SBATCH {line}" in text.splitlines()
    assert "module load cuda\nulimit -n 1\n" in text
    assert "--cpus-per-task=8 " in text.partition("srun ")[2]
    assert "wckey" not in text


def test_gres_takes_the_place_of_a_number_of_gpus(tmp_path):
    options = SlurmOptions.read(["gres=gpu:a100:1"])
    text = sbatch_text(tmp_path, options, name="s-0000", cpus=1, gpus=1)
    assert "#SBATCH --gres=gpu:a100:1" in text
    assert "gpus-per-node" not in text
