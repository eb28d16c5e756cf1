"""Converting many files on all cores, in shards that survive an interruption.

A shard is the outcome of a fixed run of files, written whole (temporary file, then rename), so a
conversion that was stopped at any moment goes on with the shards that are missing.

Worker processes are spawned and import numpy, mido and pretty_midi, no ML framework.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from labcore.data.skipped import Skipped
from labcore.errors import RunFailed
from labcore.kit.pool import in_processes
from plugins.musicvae.data.arrays import load_arrays, save_arrays
from plugins.musicvae.data.midi import Piece
from plugins.musicvae.data.sources import Source, read_pieces

__all__ = ["Shard", "convert"]

FILES_PER_SHARD = 64
"""A fraction of a second of work: little is lost when stopped, and progress moves."""

Progress = Callable[[int, int], None]
Job = tuple[Source, tuple[str, ...], bool, Path]
"""Source, files of it, whether to rebar, and the shard to write."""


@dataclass(frozen=True, slots=True)
class Shard:
    """The melodies of some pieces, end to end."""

    names: list[str]
    """Pieces, ``P`` of them, those without a melody included."""
    tokens: NDArray[np.uint8]
    """Melodies one after the other, uint8 ``[S]``."""
    lengths: NDArray[np.int64]
    """Steps of each melody, int64 ``[M]``."""
    piece: NDArray[np.int64]
    """Piece of each melody, index into ``names``, int64 ``[M]``."""
    rejected: list[Skipped]

    @classmethod
    def of(cls, pieces: list[Piece]) -> "Shard":
        """Packs pieces."""
        melodies = [melody for piece in pieces for melody in piece.melodies]
        counts = [len(piece.melodies) for piece in pieces]
        return cls(
            names=[piece.name for piece in pieces],
            tokens=np.concatenate(melodies) if melodies else np.empty(0, dtype=np.uint8),
            lengths=np.array([melody.size for melody in melodies], dtype=np.int64),
            piece=np.repeat(np.arange(len(pieces)), counts),
            rejected=[rejected for piece in pieces for rejected in piece.rejected],
        )

    def save(self, path: Path) -> None:
        """Writes the shard whole or not at all."""
        save_arrays(
            path,
            names=_strings(self.names),
            tokens=self.tokens,
            lengths=self.lengths,
            piece=self.piece,
            rejected=_strings([text for row in self.rejected for text in row]),
        )

    @classmethod
    def load(cls, path: Path) -> "Shard | None":
        """Reads a shard; None when it is missing or damaged."""
        arrays = load_arrays(path)
        if arrays is None:
            return None
        texts = arrays["rejected"].tolist()
        return cls(
            names=arrays["names"].tolist(),
            tokens=arrays["tokens"],
            lengths=arrays["lengths"],
            piece=arrays["piece"],
            rejected=[Skipped(*row) for row in zip(*[iter(texts)] * 3, strict=True)],
        )


def convert(
    source: Source, folder: Path, *, rebar: bool, workers: int, progress: Progress
) -> Iterator[Shard]:
    """Converts the files of a source, or what is left of them to convert, and gives all shards.

    Args:
        source: What to convert.
        folder: Where shards are kept; for this source and ``rebar`` only, and for one process at a
            time.
        rebar: Also takes 2/4 and 4/2.
        workers: Processes; 0 is one per core. With one, or one shard to do, no process is started.
        progress: Called with the files done and their total, at the start and after each shard.

    Raises:
        RunFailed: A worker process died, which is what running out of memory looks like.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for left_over in folder.glob(".*.tmp"):  # of a process that was killed
        left_over.unlink(missing_ok=True)
    starts = range(0, len(source.files), FILES_PER_SHARD)
    paths = [folder / f"shard-{index:05d}.npz" for index in range(len(starts))]
    jobs = [
        (source, source.files[start : start + FILES_PER_SHARD], rebar, path)
        for start, path in zip(starts, paths, strict=True)
        if Shard.load(path) is None
    ]
    total = len(source.files)
    done = total - sum(len(files) for _, files, _, _ in jobs)
    progress(done, total)
    with in_processes(
        convert_shard,
        jobs,
        workers=workers,
        doing="converts MIDI",
        fix="start the run again with data.workers=1; what is converted is kept",
    ) as finished:
        for (_, files, _, _), _ in finished:
            done += len(files)
            progress(done, total)
    for path in paths:
        shard = Shard.load(path)
        if shard is None:
            raise RunFailed(f"{path} was damaged while it was in use", fix="start the run again")
        yield shard


def convert_shard(job: Job) -> None:
    """Converts some files of a source and writes them as one shard."""
    source, files, rebar, path = job
    pieces = [piece for file in files for piece in read_pieces(source, file, rebar=rebar)]
    Shard.of(pieces).save(path)


def _strings(texts: list[str]) -> NDArray[np.str_]:
    clean = [text.encode("utf-8", "replace").decode() for text in texts]  # undecodable file names
    return np.array(clean, dtype=np.str_) if clean else np.empty(0, dtype="U1")
