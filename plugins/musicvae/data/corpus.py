"""From a dataset's name to arrays that training reads: converted, cut, split, and cached.

The cache below ``cache`` has a folder per state of the source files, choice of ``rebar`` and
:data:`CODE_VERSION`: the converted melodies in shards (shared by all window lengths), one file of
windows per set of window options, and ``rejected.csv``.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from labcore.data.skipped import Skipped, SkippedFiles, read_rows, write_rows
from labcore.errors import RunFailed
from plugins.musicvae.config import DataConfig
from plugins.musicvae.data.arrays import load_arrays, save_arrays
from plugins.musicvae.data.convert import Shard, convert
from plugins.musicvae.data.sources import Source, find_source
from plugins.musicvae.data.split import SPLITS, Windows, assign_pieces, split_windows
from plugins.musicvae.data.windows import cut_windows, unique_rows

__all__ = ["Corpus", "Counts", "prepare"]

_REJECTED = "rejected.csv"
CODE_VERSION = 2
"""Raised when the conversion gives other melodies or windows than before: the cache starts anew."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the files."""

    files: int
    pieces: int
    """Pieces found in the files, usable or not: one a MIDI file, many a tune book."""
    unreadable: int
    """Pieces that are corrupt."""
    unused: int
    """Pieces that can be read and have nothing usable, such as those in 3/4."""
    melodies: int
    windows: int
    """Windows before duplicates are removed."""
    unique: int
    """Distinct windows."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """Windows of melodies, ready for training: each once, and in one split only.

    ``N`` windows of ``T = 16 * bars`` steps.
    """

    dataset: str
    bars: int
    train: NDArray[np.uint8]
    """Tokens ``[N, T]``."""
    validation: NDArray[np.uint8]
    """Tokens ``[N, T]``, of other pieces than ``train``."""
    test: NDArray[np.uint8]
    """Tokens ``[N, T]``, of other pieces than both."""
    train_pieces: NDArray[np.int32]
    """Index into ``piece_names`` for each window of ``train``, ``[N]``."""
    validation_pieces: NDArray[np.int32]
    """The same for ``validation``."""
    test_pieces: NDArray[np.int32]
    """The same for ``test``."""
    piece_names: list[str]
    """Pieces that give a window, by their path."""
    counts: Counts
    skipped: SkippedFiles
    """What was left out, and why."""

    def check(self) -> None:
        """Raises RunFailed for a corpus with nothing to train on or to measure with."""
        counts = self.counts
        for name in SPLITS:
            if not len(getattr(self, name)):
                raise RunFailed(
                    f"no {name} windows of {self.bars} bars: {counts.pieces} pieces gave "
                    f"{counts.melodies} melodies and {counts.unique} distinct windows "
                    f"({counts.unreadable} pieces cannot be read, {counts.unused} have nothing "
                    "usable, such as no bar of 4/4)",
                    fix="add music, use shorter windows (bars=2), or set data.rebar=true to take "
                    "2/4",
                )

    def summary(self) -> dict[str, int | str]:
        """Returns the numbers worth printing, flat."""
        return {
            "dataset": self.dataset,
            "bars": self.bars,
            "files": self.counts.files,
            "pieces": self.counts.pieces,
            "unreadable": self.counts.unreadable,
            "unused": self.counts.unused,
            "melodies": self.counts.melodies,
            "windows": self.counts.windows,
            "unique_windows": self.counts.unique,
            "train_windows": len(self.train),
            "validation_windows": len(self.validation),
            "test_windows": len(self.test),
        }


def prepare(
    config: DataConfig,
    bars: int,
    raw: Path | None,
    cache: Path,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Corpus:
    """Prepares a corpus, from the cache where it is there.

    Safe to call from several processes at once: the first does the work, the others wait for it.

    Args:
        config: Which music, and how it is cut.
        bars: Bars in a window.
        raw: The unpacked folk set; None for the other datasets.
        cache: A folder to keep converted music in; may be deleted at any time.
        progress: Called with the files done and their total; not at all when nothing is to be done.

    Raises:
        RequirementError: The music is not there.
    """
    source = find_source(config, raw)
    key = _key(source.fingerprint, config.rebar, CODE_VERSION)
    folder = cache / f"{source.name}-{key}"
    folder.mkdir(parents=True, exist_ok=True)
    window_key = _key(
        bars,
        config.stride_bars,
        config.max_empty_bars,
        config.validation_fraction,
        config.test_fraction,
    )
    path = folder / f"windows-{bars}bars-{window_key}.npz"
    with FileLock(folder / ".lock"):
        corpus = _load(path, source, bars, folder, config)
        if corpus is None:
            corpus = _build(config, bars, source, folder, progress)
            _save(corpus, path)
    return corpus


def _key(*parts: object) -> str:
    return hashlib.blake2b(repr(parts).encode(), digest_size=6).hexdigest()


def _build(
    config: DataConfig,
    bars: int,
    source: Source,
    folder: Path,
    progress: Callable[[int, int], None],
) -> Corpus:
    names: list[str] = []
    skipped = _skipped(config, [])
    windows: list[NDArray[np.uint8]] = []
    pieces: list[NDArray[np.int64]] = []
    num_melodies = 0
    for shard in convert(
        source, folder, rebar=config.rebar, workers=config.workers, progress=progress
    ):
        cut, piece = _cut(shard, config, bars)
        windows.append(cut)
        pieces.append(piece + len(names))
        names += shard.names
        skipped.rows += shard.rejected
        num_melodies += len(shard.lengths)
    write_rows(folder / _REJECTED, skipped.rows)

    tokens, piece = np.concatenate(windows), np.concatenate(pieces)
    used, piece = np.unique(piece, return_inverse=True)  # pieces that give a window
    counts = Counts(
        files=len(source.files),
        pieces=len(names),
        unreadable=skipped.count(),
        unused=skipped.count("unused"),
        melodies=num_melodies,
        windows=len(tokens),
        unique=len(unique_rows(tokens)),
    )
    names = [names[index] for index in used]
    splits = assign_pieces(
        names,
        validation_fraction=config.validation_fraction,
        test_fraction=config.test_fraction,
    )
    parts = split_windows(tokens, piece.astype(np.int32), splits)
    return Corpus(
        dataset=source.name,
        bars=bars,
        **_split_fields(parts),
        piece_names=names,
        counts=counts,
        skipped=skipped,
    )


def _skipped(config: DataConfig, rows: list[Skipped]) -> SkippedFiles:
    return SkippedFiles(
        rows, max_share=config.max_rejected, option="data.max_rejected", what="pieces"
    )


def _split_fields(parts: Mapping[str, Windows]) -> dict[str, Any]:
    fields: dict[str, Any] = {name: windows.tokens for name, windows in parts.items()}
    return fields | {f"{name}_pieces": windows.piece for name, windows in parts.items()}


def _cut(
    shard: Shard, config: DataConfig, bars: int
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    windows, melody = cut_windows(
        shard.tokens,
        shard.lengths,
        bars=bars,
        stride_bars=config.stride_bars,
        max_empty_bars=config.max_empty_bars,
    )
    return windows, shard.piece[melody]


def _save(corpus: Corpus, path: Path) -> None:
    arrays: dict[str, NDArray[Any]] = {
        "counts": np.array(json.dumps(asdict(corpus.counts))),
        "names": np.array(corpus.piece_names, dtype=np.str_),
    }
    for name in SPLITS:
        arrays[name] = getattr(corpus, name)
        arrays[f"{name}_pieces"] = getattr(corpus, f"{name}_pieces")
    save_arrays(path, **arrays)


def _load(path: Path, source: Source, bars: int, folder: Path, config: DataConfig) -> Corpus | None:
    """Reads cached windows; None when they are missing or damaged."""
    arrays, rows = load_arrays(path), read_rows(folder / _REJECTED)
    if arrays is None or rows is None:
        return None
    parts = {name: Windows(arrays[name], arrays[f"{name}_pieces"]) for name in SPLITS}
    return Corpus(
        dataset=source.name,
        bars=bars,
        piece_names=arrays["names"].tolist(),
        counts=Counts(**json.loads(str(arrays["counts"]))),
        skipped=_skipped(config, rows),
        **_split_fields(parts),
    )
