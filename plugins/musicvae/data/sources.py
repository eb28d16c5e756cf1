"""Where music comes from: the folk set, fiddle tunes of music21's corpus, or a folder of MIDI."""

import hashlib
import importlib.util
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from labcore.errors import RequirementError
from plugins.musicvae.config import DataConfig
from plugins.musicvae.data.abc import read_tunes
from plugins.musicvae.data.abc_play import to_score
from plugins.musicvae.data.melody import extract_melodies
from plugins.musicvae.data.midi import Piece, read_midi

__all__ = ["Source", "find_source", "read_pieces"]

MIDI_SUFFIXES = (".mid", ".midi")
FIDDLE_BOOKS = ("oneills1850", "ryansMammoth", "airdsAirs")
"""O'Neill (1903, 1850 tunes), Ryan's Mammoth Collection (1883), Aird's Airs (1778-1801)."""


@dataclass(frozen=True, slots=True)
class Source:
    """A list of files to convert."""

    name: str
    root: Path
    files: tuple[str, ...]
    """Paths below ``root``, with forward slashes, sorted."""
    fingerprint: str
    """Changes when a file is added, removed or touched."""


def find_source(config: DataConfig, raw: Path | None) -> Source:
    """Lists the files of ``config.dataset``.

    Args:
        config: ``dataset`` and ``folder`` count.
        raw: For folk the folder of the unpacked files. For fiddle the folder of the package
            music21, found by itself when None. For folder ``config.folder`` when None.

    Raises:
        RequirementError: The package or folder is missing, or holds no music.
    """
    if config.dataset == "folk":
        fix = "run `lab data prepare musicvae/folk`, or use your own: data.dataset=folder"
        if raw is None:
            raise RequirementError("the folk melodies are not on this machine yet", fix=fix)
        return _scan("folk", raw, MIDI_SUFFIXES, fix=fix)
    if config.dataset == "fiddle":
        return _fiddle(raw)
    fix = "set data.folder to a folder with .mid or .midi files at any depth"
    return _scan("folder", raw or Path(config.folder).expanduser(), MIDI_SUFFIXES, fix=fix)


def read_pieces(source: Source, file: str, *, rebar: bool = False) -> Iterator[Piece]:
    """Converts one file of a source: a MIDI file is a piece, a tune book holds many.

    Nothing in a file makes this raise; what cannot be read comes back as a rejected piece.
    """
    path = source.root / file
    if path.suffix.lower() != ".abc":
        yield read_midi(path, name=file, rebar=rebar)
        return
    try:
        content = path.read_bytes()
    except OSError as error:
        yield Piece.unreadable(file, f"cannot be opened: {error.strerror}")
        return
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    for place, tune in enumerate(read_tunes(text), start=1):
        # Numbers are not unique within a book, places are.
        name = f"{file}#{place}:{tune.number}"
        yield Piece.sorted_out(name, *extract_melodies(to_score(tune), rebar=rebar))


def _fiddle(package: Path | None) -> Source:
    fix = "pip install music21==10.5.1"
    if package is None:
        spec = importlib.util.find_spec("music21")  # does not import it, which takes seconds
        if spec is None or not spec.submodule_search_locations:
            raise RequirementError(
                "data.dataset=fiddle reads the corpus of the package music21, not installed here",
                fix=fix,
            )
        package = Path(next(iter(spec.submodule_search_locations)))
    return _scan("fiddle", package / "corpus", (".abc",), below=FIDDLE_BOOKS, fix=fix)


def _scan(
    name: str, root: Path, suffixes: tuple[str, ...], *, fix: str, below: tuple[str, ...] = ("",)
) -> Source:
    if not root.is_dir():
        raise RequirementError(f"data.dataset={name}: there is no folder {root}", fix=fix)
    digest = hashlib.blake2b(digest_size=16)
    entries = sorted(entry for part in below for entry in _walk(root, root / part, suffixes))
    if not entries:
        kinds = " or ".join(suffixes)
        raise RequirementError(f"data.dataset={name}: no {kinds} files under {root}", fix=fix)
    for entry in entries:
        digest.update(repr(entry).encode("utf-8", "surrogateescape"))
    return Source(name, root, tuple(path for path, _, _ in entries), digest.hexdigest())


def _walk(root: Path, folder: Path, suffixes: tuple[str, ...]) -> Iterator[tuple[str, int, int]]:
    """Gives path below ``root``, size and time of change of every file with one of the suffixes."""
    for parent, _, names in os.walk(folder):
        for name in names:
            if name.lower().endswith(suffixes) and not name.startswith("._"):  # macOS leftovers
                path = Path(parent, name)
                try:
                    status = path.stat()
                except OSError:  # a dangling link; reported when it is read
                    status = None
                relative = path.relative_to(root).as_posix()
                yield (
                    relative,
                    status.st_size if status else -1,
                    status.st_mtime_ns if status else -1,
                )
