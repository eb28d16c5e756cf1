"""Writing tar shards that :mod:`labcore.data.shards` reads, the same bytes each time.

Pictures and masks are ``.png`` (small, and can be looked at; 8 bits a channel, or 16 for one
channel), photographs ``.jpg`` where small losses do not matter, other numbers ``.npy`` as they are:
compressing depth and flow would save a sixth of them and cost each reading more time than the rest
of it. Few distinct numbers, such as the normals of flat walls, are worth a ``.npy.gz``.
"""

import gzip
import hashlib
import io
import json
import os
import tarfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import IO, Any, cast

from labcore.errors import RequirementError

__all__ = ["encode", "write_shard"]


def write_shard(path: Path, samples: Iterable[tuple[str, Mapping[str, Any]]]) -> tuple[int, str]:
    """Writes samples as a tar file, whole or not at all.

    Args:
        path: The file; its folder must exist.
        samples: Key, and file ending (``rgb.png``) to array, or to plain data for ``.json``.

    Returns:
        Size in bytes and SHA-256.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        with temporary.open("wb") as file:
            counted = _Digest(file)
            # A stream is only written to, whatever the types ask for.
            stream = cast("IO[bytes]", counted)
            with tarfile.open(fileobj=stream, mode="w|", format=tarfile.USTAR_FORMAT) as tape:
                for key, fields in samples:
                    for ending, value in fields.items():
                        content = encode(value, ending)
                        # A fresh TarInfo has no owner and the time 0: nothing of this machine.
                        info = tarfile.TarInfo(f"{key}.{ending}")
                        info.size = len(content)
                        tape.addfile(info, io.BytesIO(content))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return counted.size, counted.sha256.hexdigest()


def encode(value: Any, ending: str) -> bytes:
    """Returns the bytes of a field, in the format that the last part of its ending names."""
    rest, _, kind = ending.rpartition(".")
    if kind == "gz":
        return gzip.compress(encode(value, rest), 4, mtime=0)
    if kind == "json":
        return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
    encoder = _ENCODERS.get(kind)
    if encoder is None:
        known = ", ".join(f".{each}" for each in [*_ENCODERS, "json"])
        raise ValueError(f"nothing writes .{kind} files; use one of {known}, also with .gz")
    return encoder(value)


def _encode_npy(value: Any) -> bytes:
    import numpy as np

    stream = io.BytesIO()
    np.save(stream, np.ascontiguousarray(value), allow_pickle=False)
    return stream.getvalue()


def _encode_png(value: Any) -> bytes:
    return _encode_picture(value, "PNG", compress_level=4)


def _encode_jpeg(value: Any) -> bytes:
    return _encode_picture(value, "JPEG", quality=95)


def _encode_picture(value: Any, file_format: str, **options: int) -> bytes:
    import numpy as np

    try:
        from PIL import Image
    except ImportError as error:
        raise RequirementError(
            "writing pictures of a dataset needs pillow, which is not installed",
            fix="pip install pillow",
        ) from error
    stream = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(value)).save(stream, file_format, **options)
    return stream.getvalue()


_ENCODERS: dict[str, Callable[[Any], bytes]] = {
    "npy": _encode_npy,
    "png": _encode_png,
    "jpg": _encode_jpeg,
}


class _Digest:
    """A file to write to that keeps count of what goes through."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.size = 0
        self.sha256 = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.size += len(data)
        self.sha256.update(data)
        return self._file.write(data)
