"""Reading datasets that are tar shards in WebDataset's convention: random access, worker by worker.

A folder has a ``manifest.json`` and tar files. Members of a tar that share a name up to its first
dot are one sample: ``room-00003/0007.rgb.png`` and ``room-00003/0007.depth.npy`` are the fields
``rgb`` and ``depth`` of the sample ``room-00003/0007``. ``.npy``, ``.jpg`` and ``.png`` (of one
channel with 16 bits too) become arrays and ``.json`` what it holds; ``.gz`` is undone first. Any
tool that reads tar or WebDataset reads them; :mod:`labcore.data.shard_writer` writes them.

A reader holds no open file, so it can be pickled, forked and used by many processes at once. Only
the members of the fields that are asked for are read.
"""

import bisect
import gzip
import io
import json
import tarfile
import zlib
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import Any, overload

from labcore.errors import RequirementError, RunFailed, UsageError, nearest, suggestion

__all__ = ["MANIFEST", "ShardReader"]

MANIFEST = "manifest.json"
_PNG_BITS = 24
"""Place of the byte that tells a PNG's bits a channel (its specification, section 11.2.2)."""
Sample = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Shard:
    """A tar file of the manifest."""

    path: str
    split: str
    samples: int


@dataclass(frozen=True, slots=True)
class _Member:
    """Where one field of one sample lies in its tar file."""

    kind: str
    """What the file name ends in: ``npy``, ``png.gz``."""
    offset: int
    size: int


class ShardReader(Sequence[Sample]):
    """The samples of a dataset, in the order in which they were written.

    Args:
        folder: Folder with ``manifest.json``.
        split: Only this split, such as ``train``; all of them when None.
        fields: Only these fields; all of them when None.

    Attributes:
        folder: The folder.
        manifest: What ``manifest.json`` holds: licence, units, labels and the like.

    Raises:
        RequirementError: There is no such dataset in the folder, or shards are missing.
        UsageError: It has no such split or field.
    """

    def __init__(
        self, folder: Path, *, split: str | None = None, fields: Collection[str] | None = None
    ) -> None:
        self.folder = Path(folder)
        self.manifest = _read_manifest(self.folder)
        shards = [
            _Shard(str(row["path"]), str(row["split"]), int(row["samples"]))
            for row in self.manifest["shards"]
        ]
        splits = sorted({shard.split for shard in shards})
        if split is not None and split not in splits:
            raise _unknown("split", split, splits, self.folder)
        self._shards = [shard for shard in shards if split in {None, shard.split}]
        missing = [s.path for s in self._shards if not (self.folder / s.path).is_file()]
        if missing:
            raise _damaged(self.folder, f"{len(missing)} shards are missing, such as {missing[0]}")
        self._ends = list(accumulate(shard.samples for shard in self._shards))
        self._index: dict[int, list[tuple[str, dict[str, _Member]]]] = {}
        self._fields = None if fields is None else frozenset(fields)
        for field in sorted(self._fields or ()):
            if self._shards and field not in self.fields:
                raise _unknown("field", field, self.fields, self.folder)

    @property
    def fields(self) -> list[str]:
        """Names of all fields that the first sample has."""
        return sorted(self._samples_of(0)[0][1]) if self._shards else []

    @property
    def sequences(self) -> list[range]:
        """The indices of the samples of each shard: a shard holds what belongs together."""
        starts = [0, *self._ends]
        return [range(first, end) for first, end in zip(starts, self._ends, strict=False)]

    def key(self, index: int) -> str:
        """Returns the name of a sample, such as ``room-00003/0007``."""
        return self._find(index)[1]

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    @overload
    def __getitem__(self, index: int) -> Sample: ...
    @overload
    def __getitem__(self, index: slice) -> list[Sample]: ...
    def __getitem__(self, index: int | slice) -> Sample | list[Sample]:
        if isinstance(index, slice):
            return [self[one] for one in range(*index.indices(len(self)))]
        return self.read(index)

    def __iter__(self) -> Iterator[Sample]:
        return (self[index] for index in range(len(self)))

    def read(self, index: int, fields: Collection[str] | None = None) -> Sample:
        """Reads one sample, or some fields of it: field name to array, or to what its JSON holds.

        Args:
            index: Of the sample.
            fields: Names; those that the reader was made for when None.

        Raises:
            IndexError: There are fewer samples.
            UsageError: The sample has no such field.
            RunFailed: The bytes are not what they should be.
        """
        shard, key, members = self._find(index)
        path = self.folder / shard.path
        wanted = self._fields if fields is None else fields
        sample: Sample = {}
        try:
            file = path.open("rb")
        except OSError as error:
            raise _damaged(self.folder, f"{shard.path} cannot be opened: {error}") from error
        with file:
            for field in members if wanted is None else wanted:
                if field not in members:
                    raise _unknown("field", field, list(members), path)
                member = members[field]
                file.seek(member.offset)
                try:
                    sample[field] = _decode(file.read(member.size), member.kind)
                except (ValueError, OSError, EOFError, zlib.error) as error:
                    raise RunFailed(
                        f"{field} of the sample {key} in {path} is damaged: {error}",
                        fix="make the dataset anew; lab data verify finds all damaged files",
                    ) from error
        return sample

    def _find(self, index: int) -> tuple[_Shard, str, dict[str, _Member]]:
        if not -len(self) <= index < len(self):
            raise IndexError(f"sample {index} of {len(self)}")
        index %= len(self)
        number = bisect.bisect_right(self._ends, index)
        start = self._ends[number] - self._shards[number].samples
        key, members = self._samples_of(number)[index - start]
        return self._shards[number], key, members

    def _samples_of(self, number: int) -> list[tuple[str, dict[str, _Member]]]:
        """Lists a tar file once; its headers are read, not its contents."""
        found = self._index.get(number)
        if found is None:
            shard = self._shards[number]
            found = self._index[number] = _list(self.folder / shard.path)
            if len(found) != shard.samples:
                raise _damaged(
                    self.folder,
                    f"{shard.path} has {len(found)} samples and should have {shard.samples}",
                )
        return found


def _read_manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        for row in manifest["shards"]:
            _ = row["path"], row["split"], int(row["samples"])
    except FileNotFoundError:
        raise RequirementError(
            f"there is no {MANIFEST} in {folder}, so it is no dataset of shards",
            fix="give the folder that holds it; an unfinished dataset gets one when it is complete",
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(folder, f"{MANIFEST} cannot be read ({error!r})") from error
    return manifest


def _list(path: Path) -> list[tuple[str, dict[str, _Member]]]:
    samples: dict[str, dict[str, _Member]] = {}
    try:
        with tarfile.open(path, "r:") as tape:
            for info in tape:
                if info.isfile():
                    parent, _, name = info.name.rpartition("/")
                    stem, _, rest = name.partition(".")
                    field, _, kind = rest.partition(".")
                    key = f"{parent}/{stem}" if parent else stem
                    member = _Member(kind, info.offset_data, info.size)
                    samples.setdefault(key, {})[field] = member
    except (OSError, tarfile.TarError) as error:
        raise _damaged(path.parent, f"{path.name} cannot be read: {error}") from error
    return list(samples.items())


def _decode(content: bytes, kind: str) -> Any:
    if kind.endswith(".gz"):
        kind, content = kind.removesuffix(".gz"), gzip.decompress(content)
    decoder = _DECODERS.get(kind)
    if decoder is None:
        raise ValueError(f"no decoder for .{kind}, only for {', '.join(_DECODERS)}")
    return decoder(content)


def _decode_npy(content: bytes) -> Any:
    import numpy as np

    return np.load(io.BytesIO(content), allow_pickle=False)


def _decode_picture(content: bytes, file_format: str) -> Any:
    import numpy as np

    try:
        from PIL import Image
    except ImportError as error:
        raise RequirementError(
            "reading pictures of a dataset needs pillow, which is not installed",
            fix="pip install pillow",
        ) from error
    with Image.open(io.BytesIO(content), formats=[file_format]) as image:
        if file_format == "PNG" and content[_PNG_BITS] == 16:
            if image.mode not in {"I", "I;16"}:
                raise ValueError("pillow reads 16 bits of one channel only; store it as .npy")
            return np.array(image, dtype=np.uint16)
        return np.array(image)


_DECODERS: dict[str, Callable[[bytes], Any]] = {
    "npy": _decode_npy,
    "png": partial(_decode_picture, file_format="PNG"),
    "jpg": partial(_decode_picture, file_format="JPEG"),
    "jpeg": partial(_decode_picture, file_format="JPEG"),
    "json": json.loads,
}


def _unknown(what: str, name: str, known: Sequence[str], where: Path) -> UsageError:
    hint = suggestion(nearest(name, known))
    return UsageError(
        f"{where} has no {what} {name!r}; it has {', '.join(known) or 'none'}", fix=hint or None
    )


def _damaged(folder: Path, reason: str) -> RequirementError:
    return RequirementError(
        f"the dataset in {folder} is not whole: {reason}",
        fix="make it anew; lab data verify tells what is wrong with a declared dataset",
    )
