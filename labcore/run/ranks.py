"""Which process of a distributed run this is, and how the others find the run folder.

The main process (rank 0) makes the folder. Processes that Lightning Fabric starts inherit its path
in ``LAB_RUN_FOLDER``; processes started together by torchrun or Slurm wait for rank 0 to leave it
in a small file that is named after their job.
"""

import os
import time
from pathlib import Path

import psutil

from labcore.errors import RunFailed
from labcore.record.files import disk_time, write_atomically

__all__ = ["FOLDER_VARIABLE", "announce_folder", "is_main_process", "join_folder"]

FOLDER_VARIABLE = "LAB_RUN_FOLDER"
_WAIT_S = 120.0


def is_main_process() -> bool:
    """Whether this process has rank 0, which alone writes files."""
    for variable in ("RANK", "LOCAL_RANK", "SLURM_PROCID"):
        if variable in os.environ:
            return os.environ[variable] == "0"
    return True


def announce_folder(runs_dir: Path, folder: Path) -> None:
    """Tells the other processes of this run where its folder is."""
    os.environ[FOLDER_VARIABLE] = str(folder.resolve())
    meeting = _meeting_file(runs_dir)
    if meeting is not None:
        write_atomically(meeting, str(folder.resolve()))


def join_folder(runs_dir: Path) -> Path:
    """Returns the run folder that rank 0 has made.

    Raises:
        RunFailed: Rank 0 did not say within two minutes.
    """
    inherited = os.environ.get(FOLDER_VARIABLE)
    if inherited:
        return Path(inherited)
    meeting = _meeting_file(runs_dir)
    # A file of an earlier job with the same name is older than this process. The start moves with
    # the clock, and so does the time now.
    age_s = time.time() - psutil.Process().create_time()
    earliest = 0.0 if meeting is None else disk_time(runs_dir) - age_s - 30.0
    deadline = time.monotonic() + _WAIT_S
    while meeting is not None and time.monotonic() < deadline:
        if meeting.exists() and meeting.stat().st_mtime > earliest:
            return Path(meeting.read_text(encoding="utf-8"))
        time.sleep(0.1)
    raise RunFailed(
        "this process has a rank above 0 and found no run to join",
        fix="start all ranks together with torchrun or srun, on a shared runs_dir",
    )


def _meeting_file(runs_dir: Path) -> Path | None:
    if "SLURM_JOB_ID" in os.environ and "SLURM_PROCID" in os.environ:
        job = f"slurm-{os.environ['SLURM_JOB_ID']}-{os.environ.get('SLURM_STEP_ID', '0')}"
    elif "TORCHELASTIC_RUN_ID" in os.environ:
        port = os.environ.get("MASTER_PORT", "0")
        job = f"torchrun-{os.environ['TORCHELASTIC_RUN_ID']}-{port}"
    else:
        return None
    runs_dir.mkdir(parents=True, exist_ok=True)
    return runs_dir / f".{job}"
