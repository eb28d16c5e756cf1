"""A task that is no training loop saves where it stands and goes on from there."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from labcore import Plugin, Requires, Task
from labcore.config import RootConfig
from labcore.devices import DevicePlan
from labcore.errors import RunFailed
from labcore.hooks import HookSet
from labcore.hooks.jsonl import MetricsFile
from labcore.record.status import Status
from labcore.run.run import Run
from labcore.run.signals import StopSignal

np = pytest.importorskip("numpy")

TASK = Task(name="fit", summary="fits", run="nowhere:fit", trains=True)
PLUGIN = Plugin(name="toy", summary="toy", tasks=(TASK,), config=RootConfig, requires=Requires())


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    runs: list[Any] = []

    def make(resuming: bool = False) -> Any:
        hooks = HookSet()
        hooks.register("jsonl", MetricsFile())
        run: Any = Run(
            plugin=PLUGIN,
            task=TASK,
            config=RootConfig(),
            folder=tmp_path,
            device=DevicePlan(kind="cpu", reason="", threads=1, env={}),
            hooks=hooks,
            status=Status(run="toy/a", plugin="toy", task="fit", preset=""),
            stop=StopSignal(),
            resuming=resuming,
        )
        hooks.call("run_started", run=run)
        runs.append(run)
        return run

    yield make
    for run in runs:
        run.hooks.call("run_ended", run=run, state="finished")


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "checkpoints").glob("step-*.npz"))


def test_what_was_saved_is_there_when_the_run_goes_on(started: Callable[..., Any]) -> None:
    weights = np.arange(6.0).reshape(2, 3)
    state = {"weights": weights, "loss": 0.5, "seen": ["a", "b"], "best": None}
    started().save_checkpoint(state, step=3)
    stage = started(resuming=True).restore()
    assert stage.step == 3
    assert np.array_equal(stage.state["weights"], weights)
    assert {name: stage.state[name] for name in ("loss", "seen", "best")} == {
        "loss": 0.5,
        "seen": ["a", "b"],
        "best": None,
    }


def test_a_run_without_a_checkpoint_starts_from_the_beginning(started: Callable[..., Any]) -> None:
    assert started().restore() is None


def test_metrics_after_the_checkpoint_are_dropped(
    started: Callable[..., Any], tmp_path: Path
) -> None:
    run = started()
    for step in (1, 2, 3):
        run.log_metrics({"loss": 1.0 / step}, step=step)
        if step == 2:
            run.save_checkpoint({"x": 1}, step=step)
    assert started(resuming=True).restore().step == 2
    lines = (tmp_path / "metrics.jsonl").read_text().splitlines()
    assert [line.split(",")[0] for line in lines] == ['{"step": 1', '{"step": 2']


def test_the_last_few_and_the_best_are_kept(started: Callable[..., Any], tmp_path: Path) -> None:
    run = started()
    for step in range(1, 6):
        run.save_checkpoint({"x": step}, step=step, best=0.1 if step == 2 else None)
    assert files(tmp_path) == [f"step-0000000{step}.npz" for step in (2, 4, 5)]
    assert run.restore(best=True).state == {"x": 2}


def test_a_damaged_one_is_set_aside_and_the_one_before_it_taken(
    started: Callable[..., Any], tmp_path: Path
) -> None:
    run = started()
    for step in (1, 2):
        run.save_checkpoint({"x": step}, step=step)
    newest = tmp_path / "checkpoints" / "step-00000002.npz"
    newest.write_bytes(newest.read_bytes()[:-9])
    assert started(resuming=True).restore().state == {"x": 1}
    assert newest.with_name(f"{newest.name}.damaged").exists()


def test_all_damaged_is_an_error_and_no_fresh_start(
    started: Callable[..., Any], tmp_path: Path
) -> None:
    path = started().save_checkpoint({"x": 1}, step=1)
    path.write_bytes(b"")
    with pytest.raises(RunFailed, match="none of the 1 checkpoints"):
        started(resuming=True).restore()


@pytest.mark.parametrize("value", [{1, 2}, object(), {3: "a"}, np.array([{}], dtype=object)])
def test_a_state_that_holds_code_or_odd_things_is_refused_by_name(
    started: Callable[..., Any], tmp_path: Path, value: Any
) -> None:
    with pytest.raises(TypeError, match=r"state\.task\.odd"):
        started().save_checkpoint({"odd": value}, step=1)
    assert not list((tmp_path / "checkpoints").iterdir())
