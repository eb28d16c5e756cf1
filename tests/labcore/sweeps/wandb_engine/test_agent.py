"""Agents over HTTP, with trials that are no processes."""

import threading
import time
from collections import Counter

import pytest

from labcore.errors import RequirementError, UsageError
from labcore.record.trial import read_note
from labcore.sweeps.trial import TrialResult
from labcore.sweeps.wandb_engine import (
    AgentPace,
    NotThere,
    RequestMaker,
    SweepAddress,
    WandbServer,
    run_agent,
)
from labcore.sweeps.wandb_engine.server import Command
from tests.labcore.sweeps.wandb_stub import ENTITY, WandbStub
from tests.labcore.sweeps.wandb_stub.toys import FakeTrial, FakeTrials, toy_sweep, write_run

FAST = AgentPace(heartbeat_s=0.05, poll_s=0.01, longest_pause_s=0.2, grace_s=0.1)
ENDLESS = 10**9
FAILED = TrialResult(state="failed", exit_code=1, error="ValueError: no")
CONFIG = "{method: random, parameters: {amount: {distribution: int_uniform, min: 1, max: 9}}}"


class Desk:
    """A stub, a sweep on it, and the agents of a test."""

    def __init__(self, stub, folder):
        self.stub = stub
        self.folder = folder
        self.events = []
        self.stop = threading.Event()
        self.server = WandbServer(timeout_s=2)

    def sweep(self, *trials, **keys):
        self.stub.plan(*trials)
        made = self.stub.state.create_sweep("p", CONFIG)
        made.config.update(keys)
        self.address = SweepAddress(entity=ENTITY, project="p", id=made.name)
        self.requests = RequestMaker(
            toy_sweep(), self.address, folder=self.folder / "sweep", runs_dir=self.folder / "runs"
        )
        return made

    def run(self, trials, **options):
        return run_agent(
            self.address,
            server=self.server,
            requests=self.requests,
            start=trials.start,
            stop=self.stop,
            tell=self.events.append,
            pace=options.pop("pace", FAST),
            **options,
        )

    def start(self, trials, **options):
        """Runs the agent in a thread; returns a function that gives its summary."""
        summaries = []
        thread = threading.Thread(target=lambda: summaries.append(self.run(trials, **options)))
        thread.start()

        def join():
            thread.join(20)
            assert not thread.is_alive(), "the agent does not come home"
            return summaries[0]

        return join

    def told(self, kind):
        return [event.text for event in self.events if event.kind == kind]


@pytest.fixture
def desk(monkeypatch, tmp_path):
    monkeypatch.setenv("WANDB_CONFIG_DIR", str(tmp_path))
    with WandbStub() as stub:
        for name, value in stub.environment.items():
            monkeypatch.setenv(name, value)
        desk = Desk(stub, tmp_path)
        yield desk
        desk.stop.set()


def amounts(count):
    return [{"amount": number} for number in range(1, count + 1)]


def wait_until(condition, timeout_s=10.0):
    until = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_three_agents_share_six_trials_and_none_is_run_twice(desk):
    desk.sweep(*amounts(6))
    trials = FakeTrials(lambda request: FakeTrial(request, looks=10))
    agents = [desk.start(trials) for _ in range(3)]
    summaries = [join() for join in agents]
    ids = [trial.request.env["WANDB_RUN_ID"] for trial in trials.all]
    assert len(ids) == len(set(ids)) == 6
    chosen = sorted(each for trial in trials.all for each in trial.request.overrides[-1:])
    assert chosen == [f"amount={number}" for number in range(1, 7)]
    assert sum(summary.count("finished") for summary in summaries) == 6
    assert {summary.ended_by for summary in summaries} == {"the sweep is over"}
    assert sorted(trial.request.number for trial in trials.all) == list(range(6))
    assert Counter(run.handed_out for run in desk.stub.runs) == {1: 6}
    assert len({run.agent for run in desk.stub.runs}) == 3


def test_an_agent_with_a_count_leaves_the_other_trials_to_others(desk):
    desk.sweep(*amounts(5))
    summary = desk.run(FakeTrials(), count=2)
    assert summary.count("finished") == 2
    assert summary.ended_by == "its count is reached"
    assert len(desk.stub.runs) == 2  # it has asked for no third
    assert desk.run(FakeTrials()).count("finished") == 3


def test_a_run_that_the_server_stops_gets_one_signal_and_counts_as_stopped(desk):
    desk.sweep(*amounts(2))
    trials = FakeTrials(
        lambda request: FakeTrial(request, looks=2 if trials.all else ENDLESS),
    )
    join = desk.start(trials)
    first = trials.wait_for(1)
    desk.stub.stop(desk.stub.runs[0])
    summary = join()
    assert list(summary.outcomes.values()) == ["stopped", "finished"]
    assert (first.signals, first.kills) == (1, 0)
    assert read_note(desk.requests.note(desk.stub.runs[0].name)) == "W&B"
    assert any("stopped by W&B" in text for text in desk.told("ended"))


def test_no_signal_is_sent_to_a_trial_that_has_heard_of_its_end_itself(desk):
    desk.sweep(*amounts(1))
    trials = FakeTrials(lambda request: FakeTrial(request, looks=ENDLESS, is_deaf=True))
    join = desk.start(trials, pace=AgentPace(heartbeat_s=0.02, poll_s=0.01, grace_s=60))
    trial = trials.wait_for(1)
    note = desk.requests.note(desk.stub.runs[0].name)
    note.write_text("W&B")
    desk.stub.stop(desk.stub.runs[0])
    beats = desk.stub.operations().count("Heartbeat")
    wait_until(lambda: desk.stub.operations().count("Heartbeat") > beats + 3)
    assert trial.signals == 0
    trial.ending, trial.looks = TrialResult(state="interrupted", exit_code=143), 0
    assert list(join().outcomes.values()) == ["stopped"]


def test_a_trial_that_does_not_stop_is_killed_after_its_grace(desk):
    desk.sweep(*amounts(1))
    trials = FakeTrials(lambda request: FakeTrial(request, looks=ENDLESS, is_deaf=True))
    join = desk.start(trials)
    trial = trials.wait_for(1)
    desk.stub.stop(desk.stub.runs[0])
    assert list(join().outcomes.values()) == ["stopped"]
    assert (trial.signals, trial.kills) == (1, 1)
    # It could not say so itself; for W&B it is an end like any other.
    assert desk.stub.runs[0].state == "finished"


def test_a_failed_trial_is_told_to_the_server_and_the_agent_goes_on(desk):
    desk.sweep(*amounts(3))
    trials = FakeTrials(
        lambda request: (
            FakeTrial(request, ending=FAILED)
            if "amount=2" in request.overrides
            else FakeTrial(request)
        )
    )
    summary = desk.run(trials)
    assert list(summary.outcomes.values()) == ["finished", "failed", "finished"]
    assert summary.first_error == "ValueError: no"
    assert not summary.gave_up
    by_amount = {run.args["amount"]: run for run in desk.stub.runs}
    assert by_amount[2].state == "failed"
    assert by_amount[2].config == {"amount": 2}
    # The others tell of themselves; nobody speaks for them.
    assert by_amount[1].started == by_amount[3].started == 0


def test_a_failure_that_the_run_has_told_itself_is_not_told_again(desk, tmp_path):
    desk.sweep(*amounts(1))
    run = tmp_path / "runs" / "toy" / "it"
    run.mkdir(parents=True)
    (run / "wandb.json").write_text("{}")
    ending = TrialResult(state="failed", exit_code=1, run=run)
    desk.run(FakeTrials(lambda request: FakeTrial(request, ending=ending)))
    assert "UpsertBucket" not in desk.stub.operations()


def test_a_trial_that_was_killed_by_someone_else_has_failed_and_could_not_say_so(desk, tmp_path):
    desk.sweep(*amounts(1))
    run = tmp_path / "runs" / "toy" / "it"
    run.mkdir(parents=True)
    (run / "wandb.json").write_text("{}")
    ending = TrialResult(state="lost", exit_code=137, run=run)
    summary = desk.run(FakeTrials(lambda request: FakeTrial(request, ending=ending)))
    assert list(summary.outcomes.values()) == ["failed"]
    assert (desk.stub.runs[0].state, desk.stub.runs[0].exit_code) == ("failed", 137)


def test_an_agent_whose_every_trial_fails_gives_up_and_says_why(desk):
    desk.sweep(*amounts(20))
    trials = FakeTrials(lambda request: FakeTrial(request, ending=FAILED))
    summary = desk.run(trials, most_failures=3)
    assert summary.gave_up
    assert "3 trials in a row have failed" in summary.ended_by
    assert summary.first_error == "ValueError: no"
    assert [run.state for run in desk.stub.runs] == ["failed"] * 3


def test_a_value_that_no_config_can_have_fails_its_trial_only(desk):
    desk.sweep({"amount": {"a'b": 1}}, {"amount": 2})
    trials = FakeTrials()
    summary = desk.run(trials)
    assert list(summary.outcomes.values()) == ["failed", "finished"]
    assert "amount" in summary.first_error
    assert desk.stub.runs[0].state == "failed"
    assert len(trials.all) == 1


def test_a_failed_trial_is_tried_anew_and_a_killed_one_goes_on(desk):
    desk.sweep(*amounts(2))

    def make(request):
        earlier = [t for t in trials.all if t.request.env == request.env]
        if earlier:
            return FakeTrial(request)
        if "amount=1" in request.overrides:
            return FakeTrial(request, ending=FAILED)
        write_run(request.folder, "running")
        return FakeTrial(request, ending=TrialResult(state="lost", exit_code=137))

    trials = FakeTrials(make)
    summary = desk.run(trials, retries=1)
    assert list(summary.outcomes.values()) == ["finished", "finished"]
    assert [trial.request.resume for trial in trials.all] == [False, False, False, True]
    assert trials.all[3].request.folder == trials.all[2].request.folder
    assert len(desk.told("retried")) == 2
    assert "goes on" in desk.told("retried")[1]


def test_retries_run_out(desk):
    desk.sweep(*amounts(1))
    trials = FakeTrials(lambda request: FakeTrial(request, ending=FAILED))
    summary = desk.run(trials, retries=2)
    assert len(trials.all) == 3
    assert list(summary.outcomes.values()) == ["failed"]


@pytest.mark.parametrize("how", ["error", "close"])
def test_a_trial_goes_on_while_the_server_is_silent_and_the_next_comes_when_it_is_back(desk, how):
    desk.sweep(*amounts(2))
    trials = FakeTrials(lambda request: FakeTrial(request, looks=ENDLESS))
    join = desk.start(trials)
    first = trials.wait_for(1)
    desk.stub.break_down(how)
    wait_until(lambda: desk.stub.turned_away >= 3)
    assert first.signals == 0
    first.looks = 1
    wait_until(lambda: desk.told("ended"))
    turned_away = desk.stub.turned_away
    wait_until(lambda: desk.stub.turned_away > turned_away)
    desk.stub.come_back()
    trials.wait_for(2).looks = 1
    summary = join()
    assert list(summary.outcomes.values()) == ["finished", "finished"]
    assert len(desk.told("silent")) == len(desk.told("answering")) == 1
    assert [run.handed_out for run in desk.stub.runs] == [1, 1]


def test_an_agent_waits_for_a_server_that_is_not_there_yet(desk):
    desk.sweep(*amounts(1))
    desk.stub.break_down("close")
    join = desk.start(FakeTrials())
    wait_until(lambda: desk.stub.turned_away >= 2)
    desk.stub.come_back()
    assert join().count("finished") == 1


def test_a_failure_is_told_once_the_server_is_back(desk):
    desk.sweep(*amounts(1))
    trials = FakeTrials(lambda request: FakeTrial(request, looks=ENDLESS, ending=FAILED))
    join = desk.start(trials)
    trial = trials.wait_for(1)
    desk.stub.break_down("error")
    wait_until(lambda: desk.stub.turned_away)
    trial.looks = 1
    wait_until(lambda: desk.told("ended"))
    desk.stub.come_back()
    join()
    assert desk.stub.runs[0].state == "failed"


def test_an_agent_that_is_asked_to_stop_leaves_its_trial_for_the_next(desk):
    desk.sweep(*amounts(3))
    trials = FakeTrials(lambda request: FakeTrial(request, looks=ENDLESS))
    join = desk.start(trials)
    trial = trials.wait_for(1)
    desk.stop.set()
    summary = join()
    assert trial.signals == 1
    assert summary.ended_by == "asked to stop"
    assert list(summary.outcomes.values()) == ["interrupted"]
    assert read_note(desk.requests.note(desk.stub.runs[0].name)) == ""
    assert len(desk.stub.runs) == 1


@pytest.mark.parametrize(
    ("ending", "outcome", "state"),
    [
        (TrialResult(state="not started", exit_code=143), "interrupted", "preempted"),
        (TrialResult(state="lost", exit_code=137), "interrupted", "preempted"),
        (FAILED, "failed", "failed"),
        (TrialResult(state="finished", exit_code=0), "finished", "pending"),
    ],
)
def test_how_a_trial_ended_that_was_asked_to_stop(desk, ending, outcome, state):
    desk.sweep(*amounts(1))
    trials = FakeTrials(lambda request: FakeTrial(request, looks=ENDLESS, is_deaf=True))
    join = desk.start(trials, retries=3)
    trial = trials.wait_for(1)
    desk.stop.set()
    wait_until(lambda: trial.signals)
    trial.ending, trial.looks = ending, 0
    assert list(join().outcomes.values()) == [outcome]
    assert desk.stub.runs[0].state == state
    assert len(trials.all) == 1


def test_a_trial_that_was_left_goes_on_in_its_own_folder(desk):
    desk.sweep(*amounts(1))

    def make(request):
        if request.resume:
            return FakeTrial(request)
        write_run(request.folder, "interrupted")
        run = desk.stub.state.runs[request.env["WANDB_RUN_ID"]]
        desk.stub.state.stream(run.name, {"complete": True, "exitcode": 1, "preempting": True})
        ending = TrialResult(state="interrupted", exit_code=143)
        return FakeTrial(request, ending=ending)

    trials = FakeTrials(make)
    summary = desk.run(trials)
    first, second = trials.all
    assert second.request.words == ["resume", str(first.request.folder)]
    assert list(summary.outcomes.values()) == ["finished"]


def test_a_trial_that_is_given_twice_is_run_once(desk, monkeypatch):
    desk.sweep(*amounts(3))
    asked = desk.server.heartbeat
    given = []

    def heartbeat(agent, running):
        given.extend(command for command in asked(agent, running) if command.kind != "exit")
        over = desk.stub.sweep.state == "FINISHED"
        return [*given, Command(kind="exit")] if over else list(given)

    monkeypatch.setattr(desk.server, "heartbeat", heartbeat)
    trials = FakeTrials(lambda request: FakeTrial(request, looks=20))
    assert desk.run(trials).count("finished") == 3
    assert len(trials.all) == 3


def test_an_agent_that_is_sent_home_takes_no_trial_with_it(desk, monkeypatch):
    desk.sweep(*amounts(1))
    trials = FakeTrials(lambda request: FakeTrial(request, looks=ENDLESS))
    join = desk.start(trials)
    trial = trials.wait_for(1)
    monkeypatch.setattr(desk.server, "heartbeat", lambda *asked: [Command(kind="exit")])
    assert list(join().outcomes.values()) == ["stopped"]
    assert trial.signals == 1


def test_what_the_agent_says_of_a_trial_is_short(desk):
    desk.sweep({"amount": 0.123456789})
    desk.run(FakeTrials())
    assert desk.told("started")[0].endswith("starts: amount=0.1235")
    assert desk.told("ended") == [f"{desk.stub.runs[0].name} finished"]


def test_a_cancelled_sweep_ends_its_trials_as_stopped_by_the_server(desk):
    desk.sweep(*amounts(3))
    trials = FakeTrials(lambda request: FakeTrial(request, looks=ENDLESS))
    join = desk.start(trials)
    trial = trials.wait_for(1)
    desk.stub.sweep.state = "CANCELED"
    summary = join()
    assert summary.ended_by == "the sweep is over"
    assert list(summary.outcomes.values()) == ["stopped"]
    assert trial.signals == 1


def test_a_deleted_sweep_lets_its_trial_finish(desk):
    desk.sweep(*amounts(2))
    trials = FakeTrials(lambda request: FakeTrial(request, looks=ENDLESS))
    join = desk.start(trials)
    trial = trials.wait_for(1)
    desk.stub.delete_sweep()
    asked = len(desk.stub.calls)
    wait_until(lambda: len(desk.stub.calls) > asked)
    trial.looks = 20
    summary = join()
    assert summary.ended_by == "the sweep has been deleted"
    assert list(summary.outcomes.values()) == ["finished"]
    assert trial.signals == 0


def test_a_paused_sweep_keeps_its_agents_waiting(desk):
    sweep = desk.sweep(*amounts(1))
    sweep.state = "PAUSED"
    trials = FakeTrials()
    join = desk.start(trials)
    wait_until(lambda: desk.stub.operations().count("Heartbeat") >= 3)
    assert not trials.all
    sweep.state = "RUNNING"
    assert join().count("finished") == 1


def test_no_agent_starts_for_a_sweep_that_is_not_there(desk):
    desk.sweep(*amounts(1))
    desk.stub.delete_sweep()
    with pytest.raises(NotThere):
        desk.run(FakeTrials())


def test_a_key_that_is_refused_on_the_way_stops_the_trial_and_says_so(desk, monkeypatch):
    desk.sweep(*amounts(1))
    trials = FakeTrials(lambda request: FakeTrial(request, looks=ENDLESS))
    caught = []

    def run():
        try:
            desk.run(trials)
        except RequirementError as error:
            caught.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    trial = trials.wait_for(1)
    monkeypatch.setattr(desk.stub, "api_key", "another")
    thread.join(10)
    assert "refuses the API key" in str(caught[0])
    assert trial.signals == 1


def test_a_starter_that_cannot_start_fails_the_trial_with_its_reason(desk):
    desk.sweep(*amounts(1))

    def refuse(request):
        raise UsageError("a trial still runs")

    summary = desk.run(FakeTrials(refuse))
    assert summary.first_error == "a trial still runs"
    assert desk.stub.runs[0].state == "failed"
