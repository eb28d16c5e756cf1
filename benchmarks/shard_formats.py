"""Which format reads RGB-D sequences best: size, random access, two readers at once, same bytes.

    python benchmarks/shard_formats.py [--data FOLDER] [--frames 160]

Takes frames from a dataset of rooms (one is made when no folder is given) and writes the same
arrays as WebDataset tar, HDF5, Zarr 3 with its sharding codec, a file for each sequence, and as
compressed npz. Then frames are read in random order, all fields and only picture and depth.
Milliseconds are the processor's, so other processes count little; two readers go by the clock.
Formats whose package is not installed are left out; h5py and zarr are needed by this benchmark only
(pip install h5py zarr).
"""

import argparse
import hashlib
import importlib.util
import json
import multiprocessing
import random
import shutil
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from labcore.data.shard_writer import write_shard
from labcore.data.shards import ShardReader
from plugins.render.rooms import SIZES, generate
from plugins.render.rooms.manifest import ENDINGS

SUBSET = ("rgb", "depth")
PER_SEQUENCE = 16
Sample = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Format:
    """A way to write a sequence to a file and to read one frame of it."""

    name: str
    package: str
    write: Callable[[list[Sample], Path], None]
    read: Callable[[Path, int, tuple[str, ...]], Sample]
    """File, frame, fields; opens the file anew, as a worker that jumps between files would."""


def write_tar(samples: list[Sample], path: Path) -> None:
    path.mkdir()
    rows = [{"path": "a.tar", "split": "train", "samples": len(samples)}]
    write_shard(
        path / "a.tar",
        [
            (f"{index:04d}", {ENDINGS[name]: value for name, value in sample.items()})
            for index, sample in enumerate(samples)
        ],
    )
    (path / "manifest.json").write_text(json.dumps({"shards": rows}))


READERS: dict[Path, ShardReader] = {}


def read_tar(path: Path, index: int, fields: tuple[str, ...]) -> Sample:
    # The index of a tar is kept, as training does; the file itself is opened for each frame.
    reader = READERS.setdefault(path, ShardReader(path))
    return reader.read(index, fields)


def write_hdf5(samples: list[Sample], path: Path) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        for name in samples[0]:
            stacked = np.stack([sample[name] for sample in samples])
            file.create_dataset(
                name,
                data=stacked,
                chunks=(1, *stacked.shape[1:]),
                compression="gzip",
                compression_opts=1,
                shuffle=True,
            )


def read_hdf5(path: Path, index: int, fields: tuple[str, ...]) -> Sample:
    import h5py

    with h5py.File(path) as file:
        return {name: file[name][index] for name in fields}


def write_zarr(samples: list[Sample], path: Path) -> None:
    import zarr

    group = zarr.create_group(path)
    for name in samples[0]:
        stacked = np.stack([sample[name] for sample in samples])
        array = group.create_array(
            name,
            shape=stacked.shape,
            dtype=stacked.dtype,
            chunks=(1, *stacked.shape[1:]),
            shards=stacked.shape,
        )
        array[:] = stacked


def read_zarr(path: Path, index: int, fields: tuple[str, ...]) -> Sample:
    import zarr

    group = zarr.open_group(path, mode="r")
    return {name: group[name][index] for name in fields}


def write_npz(samples: list[Sample], path: Path) -> None:
    path.mkdir()
    for index, sample in enumerate(samples):
        np.savez_compressed(path / f"{index:04d}.npz", **sample)


def read_npz(path: Path, index: int, fields: tuple[str, ...]) -> Sample:
    with np.load(path / f"{index:04d}.npz") as file:
        return {name: file[name] for name in fields}


FORMATS = (
    Format("WebDataset tar, .png and .npy", "PIL", write_tar, read_tar),
    Format("HDF5, gzip 1 + shuffle", "h5py", write_hdf5, read_hdf5),
    Format("Zarr 3, zstd, sharded", "zarr", write_zarr, read_zarr),
    Format("npz, compressed, a frame", "numpy", write_npz, read_npz),
)


def read_many(job: tuple[int, list[Path], tuple[str, ...], int]) -> tuple[float, float]:
    """Reads frames in random order; returns the seconds of the clock and of the processor."""
    number, paths, fields, count = job
    chosen = FORMATS[number]
    rng = random.Random(number)
    places = [(rng.choice(paths), rng.randrange(PER_SEQUENCE)) for _ in range(count)]
    for path in paths:
        chosen.read(path, 0, fields)
    start, spent = time.perf_counter(), time.process_time()
    for path, index in places:
        chosen.read(path, index, fields)
    return time.perf_counter() - start, time.process_time() - spent


def digest(folder: Path) -> str:
    total = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        total.update(path.relative_to(folder).as_posix().encode())
        total.update(path.read_bytes())
    return total.hexdigest()


def measure(number: int, sequences: list[list[Sample]], folder: Path, repeats: int) -> list[str]:
    chosen = FORMATS[number]
    start = time.process_time()
    for index, samples in enumerate(sequences):
        chosen.write(samples, folder / f"{index:03d}")
    frames = len(sequences) * PER_SEQUENCE
    written = (time.process_time() - start) / frames
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / frames
    once = digest(folder)
    paths = sorted(folder.iterdir())
    time.sleep(2.1)  # zip files keep time in steps of two seconds
    shutil.rmtree(folder)
    folder.mkdir()
    for index, samples in enumerate(sequences):
        chosen.write(samples, folder / f"{index:03d}")
    cells = [f"{size / 1e3:.0f}", f"{written * 1e3:.1f}"]
    for fields in (tuple(sequences[0][0]), SUBSET):
        alone = [read_many((number, paths, fields, 200))[1] / 200 for _ in range(repeats)]
        cells.append(f"{statistics.median(alone) * 1e3:.2f}")
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        both = [
            max(pool.map(read_many, [(number, paths, SUBSET, 400)] * 2, chunksize=1))[0]
            for _ in range(repeats)
        ]
    cells.append(f"{800 / statistics.median(both):.0f}")
    return [*cells, "yes" if digest(folder) == once else "no"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of a dataset of rooms")
    parser.add_argument("--frames", type=int, default=160, help="frames to write")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    with TemporaryDirectory() as name:
        data = options.data
        if data is None:
            data = Path(name) / "data"
            scenes = max(3, options.frames // PER_SEQUENCE)
            generate(replace(SIZES["small"], scenes=scenes, frames=PER_SEQUENCE), data)
        reader = ShardReader(data, fields=[field for field in ENDINGS if field != "meta"])
        count = min(options.frames, len(reader)) // PER_SEQUENCE
        sequences = [reader[i * PER_SEQUENCE : (i + 1) * PER_SEQUENCE] for i in range(count)]
        raw = sum(array.nbytes for array in sequences[0][0].values())
        table = Table(
            "format",
            "kB a frame",
            "write, ms",
            "read all, ms",
            "read rgb + depth, ms",
            "2 readers, frames/s",
            "same bytes twice",
            title=f"{count * PER_SEQUENCE} frames of {raw / 1e3:.0f} kB of arrays",
        )
        for number, chosen in enumerate(FORMATS):
            if importlib.util.find_spec(chosen.package) is None:
                table.add_row(chosen.name, f"needs pip install {chosen.package}")
                continue
            folder = Path(name) / chosen.package
            folder.mkdir()
            table.add_row(chosen.name, *measure(number, sequences, folder, options.repeats))
            shutil.rmtree(folder)
        Console(width=120).print(table)


if __name__ == "__main__":
    main()
