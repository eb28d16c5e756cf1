"""How many MIDI files a second become training data, against what else reads them.

    python benchmarks/midi_conversion.py [FOLDER] [--files 2000] [--rebar]

Ours parses, splits at metres, quantises, extracts melodies, encodes and writes the cache. Its
peers, in the same process and on the same files: pretty_midi's load and piano roll (eight columns a
second, the sixteenths of 120 bpm), where most public ports of MusicVAE start; and, where it is
installed, music21's converter on a sample, because it is slow. The one-core figures are per second
of processor time, so that a busy machine does not distort them; all cores is by the clock.

FOLDER is searched to any depth; the folk set when it is left out.
"""

import argparse
import contextlib
import os
import random
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pretty_midi

from labcore.data import data_folder, ensure
from labcore.devices import available_cores
from plugins.musicvae import plugin
from plugins.musicvae.config import DataConfig
from plugins.musicvae.data.convert import convert
from plugins.musicvae.data.sources import Source, find_source

MUSIC21_FILES = 30


def main() -> None:
    parser = argparse.ArgumentParser(description="MIDI files converted per second")
    parser.add_argument("folder", type=Path, nargs="?", help="folder of MIDI files")
    parser.add_argument("--files", type=int, default=2000, help="files to use at most")
    parser.add_argument("--rebar", action="store_true", help="also convert 2/4 and 4/2")
    options = parser.parse_args()

    options.folder = options.folder or _folk()
    source = find_source(DataConfig(dataset="folder", folder=str(options.folder)), None)
    chosen = random.Random(0).sample(source.files, min(options.files, len(source.files)))
    source = replace(source, files=tuple(chosen))
    paths = [source.root / file for file in chosen]
    ours(replace(source, files=tuple(chosen[:50])), options.rebar, 1)  # fills the disk's cache

    cores = available_cores()
    one_cpu_s, one_s = ours(source, options.rebar, 1)
    _, every_s = ours(source, options.rebar, cores)
    one = len(paths) / one_cpu_s
    rolls = len(paths) / timed(piano_rolls, paths)
    print(f"{len(paths)} files from {options.folder}, load {os.getloadavg()[0]:.1f}")
    print(f"ours, one core:            {one:8.0f} files/s  {one / rolls:6.2f}x pretty_midi's")
    print(
        f"ours, all {cores} cores:         {len(paths) / every_s:8.0f} files/s  "
        f"{one_s / every_s:6.2f}x one core by the clock"
    )
    print(f"pretty_midi + piano roll:  {rolls:8.0f} files/s")
    try:
        import music21
    except ImportError:
        print("music21: not installed")
        return
    sample = paths[:MUSIC21_FILES]
    seconds = timed(
        # It keeps pickles of what it has read before; forceSource reads the file.
        lambda files: [music21.converter.parse(file, forceSource=True) for file in files],
        sample,
    )
    print(
        f"music21 converter:         {len(sample) / seconds:8.0f} files/s  "
        f"(ours is {one * seconds / len(sample):.0f}x; {len(sample)} files)"
    )


def _folk() -> Path:
    """The folder of the folk set, fetched when it is not here."""
    return ensure(plugin, plugin.dataset("folk"), data_folder(""))


def ours(source: Source, rebar: bool, workers: int) -> tuple[float, float]:
    """Seconds, of this process and by the clock, to convert all files into a fresh cache."""
    with tempfile.TemporaryDirectory() as folder:
        cpu, clock = time.process_time(), time.perf_counter()
        for _ in convert(source, Path(folder), rebar=rebar, workers=workers, progress=ignore):
            pass
        return time.process_time() - cpu, time.perf_counter() - clock


def piano_rolls(paths: list[Path]) -> None:
    """Loads each file with pretty_midi and rolls it out at eight columns a second."""
    for path in paths:
        with (
            warnings.catch_warnings(),
            contextlib.suppress(Exception),
        ):  # broken files raise all sorts
            warnings.simplefilter("ignore")
            pretty_midi.PrettyMIDI(str(path)).get_piano_roll(fs=8)


def timed(work: Callable[[list[Path]], object], paths: list[Path]) -> float:
    """Seconds of processor time that ``work`` takes."""
    start = time.process_time()
    work(paths)
    return time.process_time() - start


def ignore(done: int, total: int) -> None:
    """Shows no progress."""


if __name__ == "__main__":
    main()
