"""Tools beside the frameworks: does FluidSynth play, does W&B write without its server?"""

import importlib.util
import os
from pathlib import Path
from typing import Any

from labcore.doctor.probes.outcome import Skipped, WrongResult, need

__all__ = ["log_offline", "play_note"]

_RATE = 44100


def play_note() -> dict[str, Any]:
    """Plays A4 on the soundfont of pretty_midi and measures how loud it is.

    Returns:
        The loudest sample, of 32767.
    """
    fluidsynth, np = need("fluidsynth", "numpy")  # the import loads the system's library
    package = importlib.util.find_spec("pretty_midi")
    soundfont = Path(package.origin).parent / "TimGM6mb.sf2" if package and package.origin else None
    if soundfont is None or not soundfont.exists():
        raise Skipped("no soundfont to play: pretty_midi, which has one, is not installed")
    synth = fluidsynth.Synth(samplerate=float(_RATE))
    try:
        number = synth.sfload(str(soundfont))
        if number < 0:
            raise WrongResult(f"FluidSynth cannot load {soundfont}")
        synth.program_select(0, number, 0, 0)
        synth.noteon(0, 69, 100)
        samples = np.asarray(synth.get_samples(_RATE // 2), dtype=np.float64)
    finally:
        synth.delete()
    peak = float(np.abs(samples).max())
    if peak < 100:
        raise WrongResult(f"the note is silent: its loudest sample is {peak:g} of 32767")
    return {"peak": peak}


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
