"""From values that the server chose to a lab run."""

import threading

import pytest
import yaml

from labcore.errors import UsageError
from labcore.record.trial import NOTE_VARIABLE, leave_note, note_of_this_process, read_note
from labcore.sweeps.distributions import Categorical, Uniform
from labcore.sweeps.wandb_engine import RequestMaker, SweepAddress
from labcore.sweeps.wandb_engine.create import hooks_override
from tests.labcore.sweeps.wandb_stub.toys import toy_sweep, write_run

ADDRESS = SweepAddress(entity="team", project="p", id="ab12")


def maker(tmp_path, sweep=None, **options):
    return RequestMaker(
        sweep or toy_sweep(),
        ADDRESS,
        folder=tmp_path / "sweep",
        runs_dir=tmp_path / "runs",
        **options,
    )


def test_a_trial_is_a_lab_run_that_knows_its_place_in_the_sweep(tmp_path):
    sweep = toy_sweep(overrides=("preset=smoke",))
    requests = maker(tmp_path, sweep, overrides=["device.wait=1h"], num_gpus=1, threads=2)
    request = requests.anew("run1", {"amount": 3})
    assert request.words == [
        "run",
        "plugin=toy",
        "preset=smoke",
        "device.wait=1h",
        "hooks=[default,wandb]",
        "threads=2",
        f"runs_dir='{tmp_path}/runs'",
        "amount=3",
    ]
    assert (request.sweep, request.num_gpus, request.threads) == ("ab12", 1, 2)
    assert request.folder.parent == tmp_path / "runs" / "toy"
    assert request.folder.name.endswith("-toy-run1")
    env = request.variables()
    assert env["WANDB_SWEEP_ID"] == "ab12"
    assert env["WANDB_RUN_ID"] == "run1"
    assert (env["WANDB_ENTITY"], env["WANDB_PROJECT"]) == ("team", "p")
    assert [request.number, requests.anew("run2", {}).number] == [0, 1]


def test_a_sweep_that_says_how_many_threads_has_the_last_word(tmp_path):
    request = maker(tmp_path, overrides=["threads=4"], threads=2).anew("run1", {})
    assert [word for word in request.words if word.startswith("threads=")] == ["threads=4"]


def test_a_plugin_among_the_parameters_is_not_said_twice(tmp_path):
    request = maker(tmp_path).anew("run1", {"plugin": "toy", "amount": 3})
    assert [word for word in request.words if word.startswith("plugin=")] == ["plugin=toy"]


def test_the_parameters_are_left_where_wandb_looks_for_them_typed(tmp_path):
    values = {"amount": 3, "rate": 1e-05, "name": "1e-5", "on": None, "nested": {"a": [1, True]}}
    request = maker(tmp_path).anew("run1", values)
    text = (tmp_path / "sweep/trials/run1/parameters.yaml").read_text()
    assert request.env["WANDB_SWEEP_PARAM_PATH"].endswith("run1/parameters.yaml")
    rows = yaml.safe_load(text)
    assert rows.pop("wandb_version") == 1
    assert {name: row["value"] for name, row in rows.items()} == values


def test_nested_parameters_set_dotted_options_and_others_are_set_whole(tmp_path):
    sweep = toy_sweep(
        parameters={"train.lr": Uniform(min=0.0, max=1.0), "model": Categorical(values=("a", "b"))}
    )
    values = {"train": {"lr": 0.5}, "model": "b", "extra": {"x": 1}, "train.steps": 7}
    request = maker(tmp_path, sweep).anew("run1", values)
    assert request.overrides[-4:] == ("train.lr=0.5", "model=b", "extra={x:1}", "train.steps=7")


def test_a_trial_begins_anew_where_no_unfinished_folder_of_it_is(tmp_path):
    requests = maker(tmp_path)
    assert not requests.again("run1", {"amount": 1}).resume
    done = requests.anew("run2", {"amount": 1}).folder
    write_run(done, "finished")
    again = requests.again("run2", {"amount": 1})
    assert not again.resume
    assert again.folder != done


@pytest.mark.parametrize("state", ["interrupted", "running"])
def test_an_unfinished_trial_goes_on_even_under_another_agent(tmp_path, state):
    folder = maker(tmp_path).anew("run1", {"amount": 1}).folder
    write_run(folder, state)
    request = maker(tmp_path).again("run1", {"amount": 1})
    assert request.words == ["resume", str(folder)]
    assert request.env["WANDB_RUN_ID"] == "run1"


def test_the_latest_folder_of_a_trial_counts(tmp_path):
    requests = maker(tmp_path)
    first = requests.anew("run1", {}).folder
    write_run(first, "interrupted")
    second = requests.anew("run1", {}).folder
    assert second != first
    write_run(second, "failed")
    assert not requests.again("run1", {}).resume


def test_a_note_of_an_earlier_attempt_does_not_stop_the_next(tmp_path):
    requests = maker(tmp_path)
    requests.anew("run1", {})
    assert leave_note(requests.note("run1"), "W&B")
    requests.anew("run1", {})
    assert read_note(requests.note("run1")) == ""


def test_of_many_who_leave_a_note_one_sends_the_signal(tmp_path):
    path = tmp_path / "note"
    firsts = []
    barrier = threading.Barrier(8)

    def leave(name):
        barrier.wait()
        if leave_note(path, name):
            firsts.append(name)

    threads = [threading.Thread(target=leave, args=(f"agent {n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert firsts == [read_note(path)]


def test_a_process_knows_where_its_note_lies(monkeypatch, tmp_path):
    monkeypatch.delenv(NOTE_VARIABLE, raising=False)
    assert note_of_this_process() is None
    monkeypatch.setenv(NOTE_VARIABLE, str(tmp_path / "note"))
    assert note_of_this_process() == tmp_path / "note"


def test_the_hook_of_wandb_is_on_unless_the_sweep_chooses_its_own(tmp_path):
    assert hooks_override(["preset=smoke"]) == ["hooks=[default,wandb]"]
    assert hooks_override(["hooks=[wandb]"]) == []
    with pytest.raises(UsageError, match="leaves out W&B"):
        hooks_override(["hooks=[default]"])
    with pytest.raises(UsageError, match="leaves out W&B"):
        maker(tmp_path, overrides=["hooks=none"])
