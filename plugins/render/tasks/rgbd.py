"""Makes the dataset ``rooms`` at any size, and shows samples of it."""

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from labcore.data.shards import ShardReader
from labcore.run import Run
from plugins.render.config import RenderConfig, RgbdConfig
from plugins.render.rooms import SIZES, RoomsSpec, draw_sheet, generate

__all__ = ["rgbd", "spec_of"]

RenderRun = Run[RenderConfig]

_ROWS = 6
"""Samples on the sheet."""


def rgbd(run: RenderRun) -> Mapping[str, float]:
    """Makes the dataset of ``rgbd.size`` and leaves a sheet of samples and a table of figures."""
    options = run.config.rgbd
    spec = spec_of(options, run.config.seed)
    out = Path(options.out).expanduser() if options.out else run.folder / "data"
    started = time.monotonic()
    with run.progress("frames", spec.scenes * spec.frames) as progress:
        made_before: list[int] = []

        def report(done: int, total: int | None) -> None:
            if not made_before:
                made_before.append(done)
            progress.update(done, total)

        manifest = generate(
            spec,
            out,
            workers=options.workers,
            backend=run.config.backend,
            device=run.device.torch_device,
            progress=report,
        )
    seconds = time.monotonic() - started
    _show_sheet(run, ShardReader(out))
    figures = _figures(manifest, seconds, spec.scenes * spec.frames - made_before[0])
    run.say(f"{manifest['statistics']['frames']} frames in {out.resolve()}")
    return figures


def spec_of(options: RgbdConfig, seed: int) -> RoomsSpec:
    """Returns the dataset that the options ask for: that of the size, but for what is given."""
    names = ("scenes", "frames", "height", "width", "samples")
    given = {name: getattr(options, name) for name in names if getattr(options, name)}
    return replace(SIZES[options.size], seed=seed, **given)


def _show_sheet(run: RenderRun, reader: ShardReader) -> None:
    """Draws a frame from the middle of each of some sequences, rooms and corridors by turns."""
    count = min(_ROWS, len(reader.sequences))
    chosen = np.linspace(0, len(reader.sequences) - 1, count).round().astype(int)
    middles = [reader.sequences[each][len(reader.sequences[each]) // 2] for each in chosen]
    samples = [reader[index] for index in middles]
    path = run.artifact_path("samples.png")
    scale = max(1, 160 // samples[0]["depth"].shape[1])
    Image.fromarray(draw_sheet(samples, scale=scale)).save(path)
    run.add_artifact(
        path,
        kind="image",
        title="Samples",
        caption="Disparity and flow are dimmed where the other picture does not show the point.",
    )


def _figures(manifest: Mapping[str, Any], seconds: float, rendered: int) -> dict[str, float]:
    statistics = manifest["statistics"]
    figures = {
        "frames": statistics["frames"],
        "scenes": len(manifest["shards"]),
        "megabytes": sum(shard["bytes"] for shard in manifest["shards"]) / 1e6,
        "seconds": seconds,
        "frames_per_second": rendered / seconds,
        "depth_min_m": statistics["depth_min_m"],
        "depth_max_m": statistics["depth_max_m"],
        "share_with_depth": statistics["share_with_depth"],
        "flow_mean_px": statistics["flow_mean_px"],
    }
    return {name: float(value) for name, value in figures.items() if value is not None}
