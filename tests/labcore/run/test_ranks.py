import os
import time

import pytest

from labcore import RunFailed
from labcore.run import ranks
from labcore.run.ranks import announce_folder, is_main_process, join_folder

VARIABLES = (
    "RANK", "LOCAL_RANK", "SLURM_PROCID", "SLURM_JOB_ID", "SLURM_STEP_ID", "TORCHELASTIC_RUN_ID",
    "MASTER_PORT", ranks.FOLDER_VARIABLE,
)  # fmt: skip


@pytest.fixture(autouse=True)
def no_launcher(monkeypatch):
    # Set first, so that what the code under test puts there is taken away again.
    for name in VARIABLES:
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


def test_a_process_that_nobody_launched_is_the_main_one():
    assert is_main_process()


@pytest.mark.parametrize("variable", ["RANK", "LOCAL_RANK", "SLURM_PROCID"])
def test_rank_zero_alone_is_the_main_process(monkeypatch, variable):
    monkeypatch.setenv(variable, "0")
    assert is_main_process()
    monkeypatch.setenv(variable, "1")
    assert not is_main_process()


def test_a_process_started_by_the_main_one_inherits_the_folder(tmp_path):
    announce_folder(tmp_path, tmp_path / "run")
    assert join_folder(tmp_path) == tmp_path / "run"


@pytest.mark.parametrize(
    "launcher",
    [
        {"TORCHELASTIC_RUN_ID": "none", "MASTER_PORT": "29500"},
        {"SLURM_JOB_ID": "7", "SLURM_PROCID": "1"},
    ],
)
def test_processes_launched_together_meet_at_the_folder(tmp_path, monkeypatch, launcher):
    for name, value in launcher.items():
        monkeypatch.setenv(name, value)
    announce_folder(tmp_path / "runs", tmp_path / "run")
    monkeypatch.delenv(ranks.FOLDER_VARIABLE)
    assert join_folder(tmp_path / "runs") == tmp_path / "run"


def test_the_folder_of_an_earlier_job_of_the_same_name_is_not_joined(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    announce_folder(tmp_path, tmp_path / "run")
    monkeypatch.delenv(ranks.FOLDER_VARIABLE)
    (meeting,) = tmp_path.glob(".torchrun-*")
    long_ago = time.time() - 86_400
    os.utime(meeting, (long_ago, long_ago))
    monkeypatch.setattr(ranks, "_WAIT_S", 0.3)
    with pytest.raises(RunFailed, match="found no run to join"):
        join_folder(tmp_path)
