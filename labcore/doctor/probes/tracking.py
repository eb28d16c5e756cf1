"""W&B without its server."""

import os
from pathlib import Path
from typing import Any

from labcore.doctor.probes.outcome import WrongResult, need

__all__ = ["log_offline"]


def log_offline() -> dict[str, Any]:
    """Logs three numbers to an offline run in WANDB_DIR and looks for its file."""
    (wandb,) = need("wandb")
    folder = Path(os.environ["WANDB_DIR"])
    run = wandb.init(project="lab-doctor", dir=str(folder), mode="offline")
    for step in range(3):
        run.log({"loss": 1 / (step + 1)})
    run.finish()
    files = list(folder.glob("wandb/offline-run-*/run-*.wandb"))
    if not files or files[0].stat().st_size == 0:
        raise WrongResult("W&B wrote no run file")
    return {"wandb": wandb.__version__, "bytes": files[0].stat().st_size}
