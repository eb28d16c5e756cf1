"""Checkpoint files: whole, checked, and no more of them than asked for."""

import os
import random
from pathlib import Path
from typing import Any

import pytest
import torch

from labcore.errors import RunFailed
from labcore.record.checkpoints import (
    FORMAT,
    CheckpointStore,
    DamagedCheckpoint,
    best_of,
    stored_in,
)
from labcore.training import load_weights
from labcore.training.checkpoints.checkpoint import TORCH


def state(step: int, **more: Any) -> dict[str, Any]:
    return {"model": {"weight": torch.full((3,), float(step))}, "loop": {"step": step}, **more}


def names(folder: Path) -> list[str]:
    return [path.name for path in stored_in(folder)]


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = CheckpointStore(tmp_path / "new", TORCH, keep_last=1).save(state(5), 5)
    assert path.name == "step-00000005.pt"
    content = TORCH.read(path)
    assert torch.equal(content["model"]["weight"], torch.full((3,), 5.0))
    assert content["format"] == FORMAT
    assert files(tmp_path / "new") == [path.name, f"{path.name}.sha256"]


def test_the_last_few_and_the_best_are_kept(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path, TORCH, keep_last=2)
    for step in range(1, 7):
        path = store.save(state(step), step)
        if step == 2:
            store.mark_best(path, metric="loss", value=0.5, step=step)
        store.prune()
    assert names(tmp_path) == ["step-00000006.pt", "step-00000005.pt", "step-00000002.pt"]
    assert best_of(tmp_path) == tmp_path / "step-00000002.pt"
    assert len(files(tmp_path)) == 7


@pytest.mark.parametrize("seed", range(8))
def test_any_flipped_byte_is_found(tmp_path: Path, seed: int) -> None:
    path = CheckpointStore(tmp_path, TORCH, keep_last=1).save(state(1), 1)
    data = bytearray(path.read_bytes())
    data[random.Random(seed).randrange(len(data))] ^= 1 << seed
    path.write_bytes(bytes(data))
    with pytest.raises(DamagedCheckpoint, match="step-00000001"):
        TORCH.read(path)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_a_file_that_was_cut_short_is_found_even_without_its_checksum(
    tmp_path: Path, share: float
) -> None:
    path = CheckpointStore(tmp_path, TORCH, keep_last=1).save(state(1), 1)
    path.with_name(f"{path.name}.sha256").unlink()
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(DamagedCheckpoint):
        TORCH.read(path)


def test_a_file_that_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    torch.save({"weight": torch.zeros(1)}, tmp_path / "step-00000001.pt")
    with pytest.raises(DamagedCheckpoint, match="cannot be read"):
        TORCH.read(tmp_path / "step-00000001.pt")


def test_code_in_a_checkpoint_is_not_run(tmp_path: Path) -> None:
    class Attack:
        def __reduce__(self) -> Any:
            return os.mkdir, (str(tmp_path / "attacked"),)

    torch.save({"format": FORMAT, "model": Attack()}, tmp_path / "step-00000001.pt")
    with pytest.raises(DamagedCheckpoint):
        TORCH.read(tmp_path / "step-00000001.pt")
    assert not (tmp_path / "attacked").exists()


def test_a_checkpoint_of_a_newer_lab_is_not_called_damaged(tmp_path: Path) -> None:
    path = tmp_path / "step-00000001.pt"
    torch.save(state(1, format=FORMAT + 1), path)
    with pytest.raises(RunFailed, match="format") as caught:
        TORCH.read(path)
    assert not isinstance(caught.value, DamagedCheckpoint)


def test_a_state_that_could_not_be_loaded_fails_when_it_is_first_saved(tmp_path: Path) -> None:
    with pytest.raises(DamagedCheckpoint):
        CheckpointStore(tmp_path, TORCH, keep_last=1).save(state(1, hooks={"odd": Path("x")}), 1)


def test_an_error_while_writing_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path, TORCH, keep_last=1)
    store.save(state(1), 1)
    with pytest.raises(Exception, match="pickle"):
        store.save(state(1, bad=lambda: None), 1)
    assert files(tmp_path) == ["step-00000001.pt", "step-00000001.pt.sha256"]
    TORCH.read(tmp_path / "step-00000001.pt")


def test_weights_come_from_the_best_then_from_the_newest_that_can_be_read(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path, TORCH, keep_last=5)
    paths = {step: store.save(state(step), step) for step in (1, 2, 3)}
    store.mark_best(paths[2], metric="loss", value=0.1, step=2)

    def loaded(**options: Any) -> float | None:
        weights = load_weights(tmp_path, **options)
        return None if weights is None else float(weights["weight"][0])

    assert loaded() == 2.0
    assert loaded(prefer_best=False) == 3.0
    paths[2].write_bytes(b"rubbish")
    assert loaded() == 3.0
    paths[3].write_bytes(b"")
    assert loaded() == 1.0
    paths[1].unlink()
    assert loaded() is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"checkpoint": "../elsewhere.pt"}'])
def test_a_damaged_best_pointer_is_as_good_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "best.json").write_text(text)
    (tmp_path.parent / "elsewhere.pt").touch()
    assert best_of(tmp_path) is None


def test_there_are_no_weights_where_nothing_was_trained(tmp_path: Path) -> None:
    assert load_weights(tmp_path / "checkpoints") is None
