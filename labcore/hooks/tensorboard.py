"""TensorBoard event files, written with TensorBoard's own record format and no framework.

The writers in torch and in TensorBoard go through a file layer that imports TensorFlow wherever it
is installed, which a run on another framework must not do; so the records are written here.
"""

import math
import os
import socket
import struct
import time
import wave
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labcore.errors import RequirementError
from labcore.hooks.specs import hookimpl

if TYPE_CHECKING:
    from labcore.record.artifacts import Artifact

__all__ = ["TensorBoard"]

_PNG = b"\x89PNG\r\n\x1a\n"


class TensorBoard:
    """Writes metrics, histograms, pictures and sounds to ``tensorboard/`` in the run folder.

    Args:
        flush_s: Seconds between two flushes to the disk.
        media: Whether to add pictures (PNG) and sounds (WAV) of the artifacts.
        max_media_kib: Largest file to add, since event files are read whole.
    """

    def __init__(
        self, *, flush_s: float = 10.0, media: bool = True, max_media_kib: int = 512
    ) -> None:
        self._flush_s = flush_s
        self._media = media
        self._max_media_bytes = max_media_kib * 1024
        self._records: Any = None
        self._flushed = 0.0
        self._purge_from: int | None = None

    @hookimpl
    def run_started(self, run: Any) -> None:
        """Finds TensorBoard.

        Raises:
            RequirementError: TensorBoard is not installed.
        """
        try:
            import tensorboard.compat.proto.event_pb2
            import tensorboard.summary.writer.record_writer  # noqa: F401  # only: is it here?
        except ImportError as error:
            raise RequirementError(
                "TensorBoard is not installed",
                fix="pip install tensorboard, or turn the hook off: hooks.tensorboard=null",
            ) from error

    @hookimpl
    def checkpoint_loaded(self, loop: Any) -> None:
        """Hides what an earlier process wrote after the checkpoint."""
        self._purge_from = loop.step + 1

    @hookimpl
    def metrics(self, run: Any, values: Mapping[str, float], step: int, phase: str) -> None:
        """Writes one scalar per value, as ``phase/name``."""
        scalars = [
            {"tag": f"{phase}/{name}", "simple_value": float(value)}
            for name, value in values.items()
        ]
        self._write(run.folder, step, scalars)

    @hookimpl
    def histogram(
        self, run: Any, name: str, counts: Sequence[int], edges: Sequence[float], step: int
    ) -> None:
        """Writes a histogram."""
        centres = [(low + high) / 2 for low, high in pairwise(edges)]
        pairs = list(zip(counts, centres, strict=True))
        histogram = {
            "min": edges[0],
            "max": edges[-1],
            "num": sum(counts),
            # The values themselves are gone; each counts as the middle of its bin.
            "sum": math.fsum(count * centre for count, centre in pairs),
            "sum_squares": math.fsum(count * centre**2 for count, centre in pairs),
            # TensorBoard reads bucket i as (limit[i-1], limit[i]], the first from minus infinity.
            "bucket_limit": list(edges),
            "bucket": [0, *counts],
        }
        self._write(run.folder, step, [{"tag": f"taps/{name}", "histo": histogram}])

    @hookimpl
    def artifact_added(self, run: Any, artifact: "Artifact") -> None:
        """Writes a picture or a sound, if it is not too large."""
        if not self._media or artifact.size_bytes > self._max_media_bytes:
            return
        media = _picture_or_sound(run.folder / artifact.path, artifact.kind)
        if media:
            tag = "/".join(part for part in (artifact.section, artifact.title) if part)
            self._write(run.folder, artifact.step or 0, [{"tag": tag, **media}])

    @hookimpl
    def checkpoint_saved(self) -> None:
        """Flushes, so that the curves reach as far as the checkpoint."""
        self._flush()

    @hookimpl
    def run_ended(self) -> None:
        """Closes the event file."""
        self.close()

    def close(self) -> None:
        """Closes the event file; a later record begins another."""
        if self._records is not None:
            self._records.close()
            self._records = None

    def _write(self, run_folder: Path, step: int, values: list[dict[str, Any]]) -> None:
        """Writes values: fields of ``Summary.Value`` in TensorBoard's ``summary.proto``."""
        if self._records is None:
            self._records = _open(run_folder / "tensorboard")
            self._event(file_version="brain.Event:2")
        if self._purge_from is not None:
            self._event(step=self._purge_from, session_log={"status": "START"})
            self._purge_from = None
        self._event(step=step, summary={"value": values})
        if time.monotonic() - self._flushed > self._flush_s:
            self._flush()

    def _event(self, **what: Any) -> None:
        from tensorboard.compat.proto.event_pb2 import Event

        self._records.write(Event(wall_time=time.time(), **what).SerializeToString())

    def _flush(self) -> None:
        if self._records is not None:
            self._records.flush()
        self._flushed = time.monotonic()


def _open(folder: Path) -> Any:
    """Opens a new event file; several in a folder are read as one run, in order of their names."""
    from tensorboard.summary.writer.record_writer import RecordWriter

    folder.mkdir(parents=True, exist_ok=True)
    name = f"events.out.tfevents.{time.time():.6f}.{socket.gethostname()}.{os.getpid()}"
    return RecordWriter((folder / name).open("wb"))


def _picture_or_sound(path: Path, kind: str) -> dict[str, Any]:
    """Returns a PNG or WAV file as a field of ``Summary.Value``; nothing for other files."""
    if kind == "audio" and path.suffix.lower() == ".wav":
        with wave.open(str(path)) as sound:
            audio = {
                "sample_rate": sound.getframerate(),
                "num_channels": sound.getnchannels(),
                "length_frames": sound.getnframes(),
                "encoded_audio_string": path.read_bytes(),
                "content_type": "audio/wav",
            }
        return {"audio": audio}
    data = path.read_bytes() if kind == "image" else b""
    if not data.startswith(_PNG) or len(data) < 24:
        return {}
    width, height = struct.unpack_from(">II", data, 16)
    image = {"width": width, "height": height, "colorspace": 4, "encoded_image_string": data}
    return {"image": image}
