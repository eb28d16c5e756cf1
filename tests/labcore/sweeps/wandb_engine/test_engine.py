"""Whole W&B sweeps: the real client, lab runs in processes of their own, a stub for the server."""

import json
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from labcore.errors import LabError, RequirementError, UsageError
from labcore.record.status import read_status
from labcore.sweeps.trial_process import ProcessTrial
from labcore.sweeps.wandb_engine import (
    AgentPace,
    RequestMaker,
    SweepAddress,
    WandbServer,
    create_sweep,
    run_agent,
)
from tests.labcore.sweeps.wandb_stub import ENTITY, WandbStub
from tests.labcore.sweeps.wandb_stub.toys import toy_sweep

pytest.importorskip("wandb", reason="needs W&B: pip install wandb")
pytestmark = pytest.mark.ml
ROOT = Path(__file__).parents[4]
TOY = """
import time

def work(run):
    for step in range(3):
        run.log_metrics({"loss": run.config.amount / (step + 1)}, step=step, phase="val")
    if run.config.amount == 7 and not run.resuming:
        time.sleep(120)
    if run.config.amount == 8:
        raise ValueError("eight is too much")
"""


class Lab:
    """A toy plugin, a sweep of it, and agents whose trials are lab runs."""

    def __init__(self, stub, folder):
        self.stub = stub
        self.folder = folder
        self.events = []
        self.stop = threading.Event()
        self.trials = []

    def create(self, *trials, **changes):
        self.stub.plan(*trials)
        self.address = create_sweep(toy_sweep(**changes))
        self.requests = RequestMaker(
            toy_sweep(**changes),
            self.address,
            folder=self.folder / "sweep",
            runs_dir=self.folder / "runs",
        )
        return self.address

    def start(self, request):
        trial = ProcessTrial(request, grace_s=20)
        self.trials.append(trial)
        return trial

    def agent(self, **options):
        """Runs an agent in a thread; returns a function that gives its summary."""
        summaries = []

        def run():
            summaries.append(
                run_agent(
                    self.address,
                    server=WandbServer(timeout_s=5),
                    requests=self.requests,
                    start=self.start,
                    stop=self.stop,
                    tell=self.events.append,
                    pace=AgentPace(heartbeat_s=0.3, poll_s=0.05, longest_pause_s=1),
                    **options,
                )
            )

        thread = threading.Thread(target=run)
        thread.start()

        def join():
            thread.join(60)
            assert not thread.is_alive(), self.output()
            return summaries[0]

        return join

    def output(self):
        files = self.folder.glob("sweep/trials/*/output.txt")
        return "\n".join(f"{path}:\n{path.read_text()}" for path in files)

    def wait_for_losses(self):
        """Waits until the first trial has logged all it will; W&B hears of it later."""
        wait_until(lambda: self.stub.runs and self._losses(self.stub.runs[0]) == 3, self)

    def _losses(self, run):
        files = self.folder.glob(f"runs/toy/*-{run.name}/metrics.jsonl")
        return sum(path.read_text().count('"loss"') for path in files)

    def losses_on_server(self, run):
        return [row["val/loss"] for row in run.history if "val/loss" in row]

    def folder_of(self, run):
        (folder,) = self.folder.glob(f"runs/toy/*-{run.name}")
        return folder


@pytest.fixture
def lab(write_plugin, monkeypatch, tmp_path):
    write_plugin("toy", TOY)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(ROOT)]))
    here = str(Path(sys.executable).parent)  # for the command "python" of W&B's own agent
    monkeypatch.setenv("PATH", os.pathsep.join([here, os.environ["PATH"]]))
    for name in ("CONFIG", "CACHE", "DATA", ""):
        variable = f"WANDB_{name}_DIR" if name else "WANDB_DIR"
        monkeypatch.setenv(variable, str(tmp_path / f"wandb{name.lower()}"))
        (tmp_path / f"wandb{name.lower()}").mkdir()
    for name in ("WANDB_MODE", "WANDB_PROJECT", "WANDB_ENTITY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    with WandbStub() as stub:
        for name, value in stub.environment.items():
            monkeypatch.setenv(name, value)
        lab = Lab(stub, tmp_path)
        yield lab
        lab.stop.set()
        for trial in lab.trials:
            trial.kill()


def wait_until(condition, lab, timeout_s=30.0):
    until = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < until, lab.output()
        time.sleep(0.05)


def test_a_sweep_is_created_by_wandb_itself_as_its_file_says(lab, capfd):
    before = dict(os.environ)
    address = lab.create()
    assert address == SweepAddress(entity=ENTITY, project="toy", id=lab.stub.sweep.name)
    config = dict(lab.stub.sweep.config)
    command = config.pop("command")
    amount = {"distribution": "int_uniform", "min": 1, "max": 9}  # as W&B's client completes it
    assert config == {**toy_sweep().raw, "parameters": {"amount": amount}}
    assert command[2:5] == ["-m", "labcore", "run"]
    assert "WANDB_PROJECT" not in os.environ
    assert set(os.environ) - set(before) <= {"WANDB_ERROR_REPORTING"}
    assert capfd.readouterr().out == ""  # what wandb prints is in the log


def test_w_and_b_s_own_agent_gets_a_command_that_logs_whatever_the_file_has(lab):
    raw = {**toy_sweep().raw, "command": ["lab", "run", "preset=smoke", "${args_no_hyphens}"]}
    lab.create(raw=raw, overrides=("preset=smoke",))
    assert lab.stub.sweep.config["command"] == [
        *("${env}", "${interpreter}", "-m", "labcore", "run", "plugin=toy", "preset=smoke"),
        *("hooks=[default,wandb]", "${args_no_hyphens}"),
    ]


def test_project_and_entity_come_from_the_caller_the_file_or_the_environment(lab, monkeypatch):
    assert lab.create(project="file", entity="team").entity == "team"
    assert lab.stub.calls[-1].variables["projectName"] == "file"
    monkeypatch.setenv("WANDB_PROJECT", "environment")
    assert create_sweep(toy_sweep()).project == "environment"
    assert create_sweep(toy_sweep(project="file"), project="caller").project == "caller"


def test_a_sweep_that_cannot_be_created_says_why(lab, monkeypatch):
    with pytest.raises(UsageError, match="leaves out W&B"):
        create_sweep(toy_sweep(overrides=("hooks=none",)))
    mixed = {"method": "random", "parameters": {"amount": {"min": 1, "max": 2.5}}}
    with pytest.raises(LabError, match=r"does not take the sweep: .*amount is ambiguous"):
        create_sweep(toy_sweep(raw=mixed))
    monkeypatch.setenv("WANDB_API_KEY", "y" * 40)
    with pytest.raises(RequirementError, match="refuses the API key"):
        create_sweep(toy_sweep(), entity="team")
    assert not lab.stub.state.sweeps


def test_three_agents_finish_six_trials_each_a_lab_run_of_the_sweep(lab):
    lab.create(*({"amount": number} for number in range(1, 7)))
    joins = [lab.agent() for _ in range(3)]
    summaries = [join() for join in joins]
    assert sum(summary.count("finished") for summary in summaries) == 6, lab.output()
    assert len(lab.stub.runs) == 6
    for run in lab.stub.runs:
        assert (run.handed_out, run.state, run.sweep) == (1, "finished", lab.address.id)
        assert run.project == "toy"
        # The sweep's own parameter, and the run's whole config beside it.
        assert run.config["amount"] == run.args["amount"]
        assert "seed" in run.config
        amount = run.args["amount"]
        assert lab.losses_on_server(run) == pytest.approx([amount, amount / 2, amount / 3])
        folder = lab.folder_of(run)
        assert read_status(folder).state == "finished"
        assert run.display_name == folder.name
        assert (folder / "report.html").exists()
    assert len(list(lab.folder.glob("runs/toy/*"))) == 6
    assert len({run.agent for run in lab.stub.runs}) == 3


def test_a_run_that_the_server_stops_ends_with_what_it_has(lab):
    lab.create({"amount": 7}, {"amount": 2})
    join = lab.agent()
    lab.wait_for_losses()
    lab.stub.stop(lab.stub.runs[0])
    summary = join()
    assert list(summary.outcomes.values()) == ["stopped", "finished"], lab.output()
    stopped, finished = lab.stub.runs
    # For W&B it is an end like any other: not a failure, and nothing to be resumed.
    assert (stopped.state, stopped.preempting) == ("finished", False)
    assert finished.state == "finished"
    status = read_status(lab.folder_of(stopped))
    assert (status.state, status.message) == ("interrupted", "stopped by W&B")


def test_a_trial_that_hears_of_its_stop_from_w_and_b_alone_ends_the_same(lab):
    """Its agent may be the server's only other way to it, and away."""
    lab.create({"amount": 7})
    join = lab.agent()
    wait_until(lambda: lab.stub.runs and lab.stub.runs[0].started, lab)
    (run,) = lab.stub.runs
    run.stop_is_for_agent = False
    lab.stub.stop(run)
    assert list(join().outcomes.values()) == ["stopped"], lab.output()
    assert (run.state, run.preempting) == ("finished", False)
    status = read_status(lab.folder_of(run))
    assert (status.exit_code, status.message) == (143, "stopped by W&B")


def test_a_failed_trial_is_failed_on_w_and_b_and_the_agent_goes_on(lab):
    lab.create({"amount": 8}, {"amount": "many"}, {"amount": 1})
    summary = lab.agent()()
    assert list(summary.outcomes.values()) == ["failed", "failed", "finished"], lab.output()
    assert "eight is too much" in summary.first_error
    raised, refused, finished = lab.stub.runs
    assert (raised.state, raised.exit_code) == ("failed", 1)
    # The second got no run folder, for its config is wrong; its agent has spoken for it.
    assert (refused.state, refused.exit_code, refused.config) == ("failed", 2, {"amount": "many"})
    assert finished.state == "finished"
    told = [event.text for event in lab.events if event.outcome == "failed"]
    assert "amount" in told[1]
    assert "many" in told[1]


@pytest.mark.parametrize("how", ["error", "close"])
def test_nothing_is_lost_when_the_connection_is(lab, how):
    lab.create({"amount": 7}, {"amount": 2})
    join = lab.agent()
    lab.wait_for_losses()
    lab.stub.break_down(how)
    wait_until(lambda: [event for event in lab.events if event.kind == "silent"], lab)
    time.sleep(1)
    assert not lab.trials[0].poll()
    lab.stub.come_back()
    wait_until(lambda: [event for event in lab.events if event.kind == "answering"], lab)
    lab.stub.stop(lab.stub.runs[0])
    summary = join()
    assert list(summary.outcomes.values()) == ["stopped", "finished"], lab.output()
    assert [run.handed_out for run in lab.stub.runs] == [1, 1]
    assert [len(lab.losses_on_server(run)) for run in lab.stub.runs] == [3, 3]


def test_a_trial_that_ends_while_the_server_is_silent_is_told_in_full_when_it_is_back(lab):
    lab.create({"amount": 1})
    join = lab.agent()
    lab.wait_for_losses()
    lab.stub.break_down("error")
    # Its work is done, and its last words wait for the server.
    folder = lab.folder_of(lab.stub.runs[0])
    wait_until(lambda: read_status(folder).state == "finished", lab)
    wait_until(lambda: [event for event in lab.events if event.kind == "silent"], lab)
    lab.stub.come_back()
    assert join().count("finished") == 1, lab.output()
    (run,) = lab.stub.runs
    assert (run.state, run.handed_out) == ("finished", 1)
    assert lab.losses_on_server(run) == pytest.approx([1, 1 / 2, 1 / 3])


def test_a_trial_that_was_interrupted_goes_on_as_the_same_run_of_the_sweep(lab):
    lab.create({"amount": 7})
    join = lab.agent()
    lab.wait_for_losses()
    lab.stop.set()
    assert list(join().outcomes.values()) == ["interrupted"], lab.output()
    (run,) = lab.stub.runs
    assert run.state == "preempted"
    lab.stop.clear()
    assert list(lab.agent()().outcomes.values()) == ["finished"], lab.output()
    assert (run.state, run.handed_out) == ("finished", 2)
    assert len(lab.stub.runs) == 1
    status = read_status(lab.folder_of(run))
    assert (status.state, status.resumes) == ("finished", 1)


def test_a_trial_that_is_interrupted_while_it_begins_is_not_lost(lab):
    lab.create({"amount": 7})
    join = lab.agent()
    wait_until(lambda: lab.stub.runs and lab.stub.runs[0].started, lab)
    lab.stop.set()  # W&B has just heard of the run, which has not heard back
    assert list(join().outcomes.values()) == ["interrupted"], lab.output()
    assert lab.stub.runs[0].state == "preempted"
    assert read_status(lab.folder_of(lab.stub.runs[0])).state == "interrupted"


def test_a_trial_resumed_by_hand_is_still_the_same_run_on_w_and_b(lab):
    lab.create({"amount": 7})
    join = lab.agent()
    lab.wait_for_losses()
    lab.stop.set()
    join()
    (run,) = lab.stub.runs
    done = subprocess.run(
        [sys.executable, "-m", "labcore", "resume", str(lab.folder_of(run))],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert [each.name for each in lab.stub.runs] == [run.name]
    assert run.state == "finished"


def test_a_killed_trial_is_gone_on_with(lab):
    lab.create({"amount": 7})
    join = lab.agent(retries=1)
    lab.wait_for_losses()
    lab.trials[0].kill()
    assert list(join().outcomes.values()) == ["finished"], lab.output()
    (run,) = lab.stub.runs
    assert (run.state, run.handed_out) == ("finished", 1)
    assert read_status(lab.folder_of(run)).resumes == 1


def test_our_agent_says_to_the_server_what_wandb_s_own_agent_says(lab):
    """The oracle of the agent, and of the stub: W&B's agent runs a trial of the same sweep."""
    lab.create({"amount": 1}, {"amount": 2})
    created = len(lab.stub.calls)
    lab.agent(count=1)()
    ours = lab.stub.calls[created:]
    theirs_begin = len(lab.stub.calls)
    done = subprocess.run(
        [sys.executable, "-m", "wandb", "agent", "--count", "1", str(lab.address)],
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    theirs = lab.stub.calls[theirs_begin:]
    for operation in ("CreateAgent", "Heartbeat"):
        our_first = next(call for call in ours if call.operation == operation)
        their_first = next(call for call in theirs if call.operation == operation)
        assert _bare(our_first.query) == _bare(their_first.query)
        assert _known(our_first.variables) == _known(their_first.variables)
    own, other = lab.stub.runs
    assert (own.state, other.state) == ("finished", "finished"), done.stdout + done.stderr
    assert other.sweep == own.sweep
    assert other.config["amount"] == 2
    assert set(other.config) == set(own.config)
    assert {row["step"] for row in other.history} == {row["step"] for row in own.history}


def _bare(query):
    return re.sub(r"[\s,]+", "", query)


def _known(variables):
    """Variables without the agent's own id, the two being two."""
    plain = {name: value for name, value in variables.items() if name != "id"}
    return {**plain, **({"runState": json.loads(plain["runState"])} if "runState" in plain else {})}
