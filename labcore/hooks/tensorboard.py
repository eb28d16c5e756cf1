"""TensorBoard event files, written with TensorBoard's own record format and no framework.

The writers in torch and in TensorBoard go through a file layer that imports TensorFlow wherever it
is installed, which a run on another framework must not do; so the records are written here.
"""

import math
import os
import socket
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

__all__ = ["TensorBoard", "png_size"]

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
        from tensorboard.compat.proto.summary_pb2 import Summary

        scalars = [
            Summary.Value(tag=f"{phase}/{name}", simple_value=float(value))
            for name, value in values.items()
        ]
        self._write(run.folder, step, summary=Summary(value=scalars))

    @hookimpl
    def histogram(
        self, run: Any, name: str, counts: Sequence[int], edges: Sequence[float], step: int
    ) -> None:
        """Writes a histogram."""
        from tensorboard.compat.proto.summary_pb2 import HistogramProto, Summary

        centres = [(low + high) / 2 for low, high in pairwise(edges)]
        pairs = list(zip(counts, centres, strict=True))
        proto = HistogramProto(
            min=edges[0],
            max=edges[-1],
            num=sum(counts),
            # The values themselves are gone; each counts as the middle of its bin.
            sum=math.fsum(count * centre for count, centre in pairs),
            sum_squares=math.fsum(count * centre**2 for count, centre in pairs),
            # TensorBoard reads bucket i as (limit[i-1], limit[i]], the first from minus infinity.
            bucket_limit=list(edges),
            bucket=[0, *counts],
        )
        value = Summary.Value(tag=f"taps/{name}", histo=proto)
        self._write(run.folder, step, summary=Summary(value=[value]))

    @hookimpl
    def artifact_added(self, run: Any, artifact: "Artifact") -> None:
        """Writes a picture or a sound, if it is not too large."""
        path = run.folder / artifact.path
        if not self._media or artifact.size_bytes > self._max_media_bytes:
            return
        summary = _picture(path, artifact) or _sound(path, artifact)
        if summary is not None:
            self._write(run.folder, artifact.step or 0, summary=summary)

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

    def _write(self, run_folder: Path, step: int, **what: Any) -> None:
        from tensorboard.compat.proto.event_pb2 import Event, SessionLog

        if self._records is None:
            self._records = _open(run_folder / "tensorboard")
            self._event(Event(wall_time=time.time(), file_version="brain.Event:2"))
        if self._purge_from is not None:
            start = SessionLog(status=SessionLog.START)
            self._event(Event(wall_time=time.time(), step=self._purge_from, session_log=start))
            self._purge_from = None
        self._event(Event(wall_time=time.time(), step=step, **what))
        if time.monotonic() - self._flushed > self._flush_s:
            self._flush()

    def _event(self, event: Any) -> None:
        self._records.write(event.SerializeToString())

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


def png_size(data: bytes) -> tuple[int, int] | None:
    """Reads width and height in pixels from the head of a PNG file; None if it is none."""
    if not data.startswith(_PNG) or len(data) < 24:
        return None
    return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")


def _picture(path: Path, artifact: "Artifact") -> Any:
    from tensorboard.compat.proto.summary_pb2 import Summary

    if artifact.kind != "image":
        return None
    data = path.read_bytes()
    size = png_size(data)
    if size is None:
        return None
    image = Summary.Image(width=size[0], height=size[1], colorspace=4, encoded_image_string=data)
    return Summary(value=[Summary.Value(tag=_tag(artifact), image=image)])


def _sound(path: Path, artifact: "Artifact") -> Any:
    from tensorboard.compat.proto.summary_pb2 import Summary

    if artifact.kind != "audio" or path.suffix.lower() != ".wav":
        return None
    with wave.open(str(path)) as sound:
        audio = Summary.Audio(
            sample_rate=sound.getframerate(),
            num_channels=sound.getnchannels(),
            length_frames=sound.getnframes(),
            encoded_audio_string=path.read_bytes(),
            content_type="audio/wav",
        )
    return Summary(value=[Summary.Value(tag=_tag(artifact), audio=audio)])


def _tag(artifact: "Artifact") -> str:
    return "/".join(part for part in (artifact.section, artifact.title) if part)
