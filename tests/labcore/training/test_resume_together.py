"""A run of two processes that was stopped goes on with two processes, through ``lab resume``."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from labcore.record.status import read_status

ROOT = Path(__file__).parents[3]
PLUGIN = """
import time
from dataclasses import field
from labcore.training import LoopConfig

@dataclass(kw_only=True, slots=True)
class Options:
    train: LoopConfig = field(default_factory=LoopConfig)

def work(run):
    import torch
    from labcore.training import TensorBatches, fit
    torch.manual_seed(0)
    model = torch.nn.Linear(2, 1)

    def step(model, batch, loop):
        if not run.resuming and loop.step == 5:
            (run.folder / f"ready-{run.is_main}").touch()
            while not run.stop:
                time.sleep(0.02)
        return {"loss": model(batch[0]).square().mean()}

    fit(
        run, model=model, optimizer=torch.optim.SGD(model.parameters(), lr=0.01),
        data=TensorBatches(torch.ones(8, 2), batch_size=2, seed=0), training_step=step,
    )
    return {"score": 1.0}

plugin = Plugin(
    name="pair", summary="Two processes.", config=Options, requires=Requires(framework="torch"),
    tasks=(Task(name="work", summary="Works.", run=__name__ + ":work", trains=True),),
)
"""


def test_after_ctrl_c_both_processes_take_part_again(
    write_plugin: Callable[[str, str], str], tmp_path: Path
) -> None:
    write_plugin("pair", PLUGIN)
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    lab = [sys.executable, "-m", "labcore"]
    options = ("device=cpu", "hooks=none", "train.devices=2", "train.max_steps=12")
    started = subprocess.Popen(
        [*lab, "run", "plugin=pair", *options, "train.log_every=1"],
        cwd=tmp_path, env=environment, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while len(list(tmp_path.glob("runs/pair/*/ready-*"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(started.pid, signal.SIGINT)  # as a terminal does
    _, said = started.communicate(timeout=60)
    assert started.returncode == 130, said
    (folder,) = (tmp_path / "runs/pair").iterdir()
    assert read_status(folder).state == "interrupted"
    again = subprocess.run(
        [*lab, "resume", "latest"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert again.returncode == 0, again.stderr
    status = read_status(folder)
    assert (status.state, status.step, status.resumes) == ("finished", 12, 1)
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows if row["phase"] == "train"] == list(range(1, 13))
    assert [(row["step"], row["phase"]) for row in rows][-1] == (12, "result")
