"""A run that is killed and resumed ends with the same bits as one that was left alone."""

import json
import random
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

MOMENTS = ("step_started", "backward_ended", "step_ended")
POINTS = [
    (random.Random(seed).choice(MOMENTS), random.Random(seed).randrange(1, 23)) for seed in range(3)
]


def records(folder: Path) -> list[dict[str, Any]]:
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    return [{key: value for key, value in row.items() if key != "time"} for row in rows]


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return torch.load(folder / "final.pt", weights_only=True)["model"]


def assert_same(folder: Path, reference: Path) -> None:
    assert records(folder) == records(reference)
    for name, value in weights(reference).items():
        assert torch.equal(weights(folder)[name], value), name
    ours, theirs = (
        torch.load(place / "checkpoints" / "step-00000024.pt", weights_only=True)
        for place in (folder, reference)
    )
    for name, value in theirs["ema"]["weights"].items():
        assert torch.equal(ours["ema"]["weights"][name], value), name
    assert ours["monitor"] == theirs["monitor"]
    assert ours["hooks"]["drift"]["seen"] == theirs["hooks"]["drift"]["seen"] == 24


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory, child: Callable[..., int]) -> Path:
    folder = tmp_path_factory.mktemp("unbroken")
    assert child("train", folder=str(folder)) == 0
    return folder


def test_the_reference_run_draws_from_everything_it_should(unbroken: Path) -> None:
    steps = [row["step"] for row in records(unbroken) if row["phase"] == "train"]
    assert steps == list(range(3, 25, 3))
    assert {row["phase"] for row in records(unbroken)} == {"train", "val", "taps", "test"}


@pytest.mark.parametrize("point", POINTS, ids=lambda point: f"{point[0]}-{point[1]}")
def test_killed_at_a_random_point_and_resumed_is_the_same_to_the_last_bit(
    tmp_path: Path, child: Callable[..., int], unbroken: Path, point: tuple[str, int]
) -> None:
    assert child("train", folder=str(tmp_path), kill=point) == -signal.SIGKILL
    assert child("train", folder=str(tmp_path)) == 0
    assert_same(tmp_path, unbroken)


def test_killed_three_times_is_the_same_to_the_last_bit(
    tmp_path: Path, child: Callable[..., int], unbroken: Path
) -> None:
    assert child("train", folder=str(tmp_path), kill=("validation_started", 8)) == -signal.SIGKILL
    assert child("train", folder=str(tmp_path), kill=("checkpoint_saved", 12)) == -signal.SIGKILL
    assert child("train", folder=str(tmp_path), kill_while_writing=1) == -signal.SIGKILL
    assert list((tmp_path / "checkpoints").glob(".step-*"))
    assert child("train", folder=str(tmp_path)) == 0
    assert not list((tmp_path / "checkpoints").glob(".step-*"))
    assert_same(tmp_path, unbroken)


def test_killed_before_the_first_checkpoint_starts_again_the_same(
    tmp_path: Path, child: Callable[..., int], unbroken: Path
) -> None:
    assert child("train", folder=str(tmp_path), kill=("step_ended", 3)) == -signal.SIGKILL
    assert not list((tmp_path / "checkpoints").glob("*.pt"))
    assert child("train", folder=str(tmp_path)) == 0
    assert_same(tmp_path, unbroken)


def test_killed_between_two_tests_after_training_is_the_same_with_each_test_once(
    tmp_path: Path, child: Callable[..., int], unbroken: Path
) -> None:
    assert child("train", folder=str(tmp_path), kill_in_test=True) == -signal.SIGKILL
    assert child("train", folder=str(tmp_path)) == 0
    assert [row["step"] for row in records(tmp_path) if row["phase"] == "test"] == [24, 24]
    assert_same(tmp_path, unbroken)


def test_sigterm_leaves_a_checkpoint_of_the_step_it_came_in_and_resumes_exactly(
    tmp_path: Path, child: Callable[..., int], unbroken: Path
) -> None:
    code = child("train", folder=str(tmp_path), kill=("backward_ended", 6), number=signal.SIGTERM)
    assert code == 128 + signal.SIGTERM
    assert (tmp_path / "checkpoints" / "step-00000007.pt").exists()
    assert child("train", folder=str(tmp_path)) == 0
    assert_same(tmp_path, unbroken)


def test_worker_processes_change_nothing(
    tmp_path: Path, child: Callable[..., int], unbroken: Path
) -> None:
    code = child("train", folder=str(tmp_path), kill=("step_ended", 13), num_workers=2)
    assert code == -signal.SIGKILL
    assert child("train", folder=str(tmp_path), num_workers=1) == 0
    assert_same(tmp_path, unbroken)
