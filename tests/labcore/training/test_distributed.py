"""Two processes on gloo learn what one process with the whole batch learns; one of them writes."""

import json
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

Together = Callable[..., list[int]]


@pytest.fixture
def together(tmp_path: Path, start_child: Callable[..., Any]) -> Together:
    """Runs ``toy.train_plainly`` in two processes, as torchrun would, and returns their codes."""

    def run(**arguments: Any) -> list[int]:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        processes = []
        for rank in range(2):
            environment = {
                "RANK": str(rank),
                "LOCAL_RANK": str(rank),
                "WORLD_SIZE": "2",
                "LOCAL_WORLD_SIZE": "2",
                "GROUP_RANK": "0",
                "MASTER_ADDR": "127.0.0.1",
                "MASTER_PORT": str(port),
                "TORCHELASTIC_RUN_ID": "toy",
            }
            processes.append(start_child("train_plainly", environment=environment, **arguments))
        for process in processes:
            process.join(100)
        return [process.exitcode for process in processes]

    return run


def weights(folder: Path, step: int) -> dict[str, torch.Tensor]:
    path = folder / "checkpoints" / f"step-{step:08d}.pt"
    return torch.load(path, weights_only=True)["model"]


def values(folder: Path, phase: str) -> list[dict[str, float]]:
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [row["values"] for row in rows if row["phase"] == phase]


def test_two_processes_learn_what_one_learns_with_the_whole_batch(
    tmp_path: Path, together: Together, child: Callable[..., int]
) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    assert child("train_plainly", folder=str(one), batch_size=8) == 0
    assert together(folder=str(two), batch_size=4, devices=2) == [0, 0]
    for name, value in weights(one, 10).items():
        torch.testing.assert_close(weights(two, 10)[name], value, rtol=1e-5, atol=1e-6)
    for phase in ("train", "val"):
        for ours, theirs in zip(values(two, phase), values(one, phase), strict=True):
            assert ours == pytest.approx(theirs, rel=1e-4)
    # Only rank 0 leaves files: the other one counts its writes.
    assert sorted(path.name for path in two.glob("rank-*")) == ["rank-0-wrote", "rank-1-idle"]


def test_a_signal_to_one_process_stops_both_with_a_checkpoint_and_they_resume_exactly(
    tmp_path: Path, together: Together
) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    options = {"batch_size": 4, "devices": 2, "is_noisy": True}
    assert together(folder=str(whole), **options) == [0, 0]
    assert together(folder=str(parts), stop_rank=1, stop_at=6, **options) == [143, 143]
    assert (parts / "checkpoints" / "step-00000007.pt").exists()
    assert together(folder=str(parts), **options) == [0, 0]
    assert values(parts, "train") == values(whole, "train")
    assert values(parts, "val") == values(whole, "val")
    for name, value in weights(whole, 10).items():
        assert torch.equal(weights(parts, 10)[name], value)


def test_a_loss_that_is_nan_in_one_process_fails_both(tmp_path: Path, together: Together) -> None:
    codes = together(folder=str(tmp_path), batch_size=4, devices=2, nan_rank=1, nan_at=5)
    assert codes == [1, 1]
    assert "rank 0: the loss is not a finite number at step 6" in (tmp_path / "error-0").read_text()


def test_the_test_process_is_not_distributed_itself() -> None:
    assert "RANK" not in os.environ
