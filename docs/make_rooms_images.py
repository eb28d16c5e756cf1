"""Makes the pictures of the datasheet of rooms from a dataset.

    python docs/make_rooms_images.py FOLDER

FOLDER is what ``lab data prepare render/rooms`` or ``task=rgbd`` made. Writes to docs/images:
rooms_samples.png and rooms_moving.png (frames with all their fields, of scenes that stand still and
of scenes with moving things), rooms_sequence.png (frames of a sequence) and rooms_statistics.png
(depths and classes).
"""

import argparse
import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np
from PIL import Image

from labcore.data.shards import ShardReader
from plugins.render.rooms import draw_sheet

mpl.use("Agg")
from matplotlib import pyplot as plt  # after the choice of the backend

IMAGES = Path(__file__).parent / "images"
STEP = 4
GAP = 4


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder of a dataset of rooms")
    folder = parser.parse_args().folder
    reader = ShardReader(folder)
    IMAGES.mkdir(exist_ok=True)
    for name, moving in (("rooms_samples.png", False), ("rooms_moving.png", True)):
        save(draw_sheet([reader[index] for index in middles(reader, moving=moving)]), name)
    save(strip(reader), "rooms_sequence.png")
    draw_statistics(reader.manifest["statistics"], IMAGES / "rooms_statistics.png")


def middles(reader: ShardReader, *, moving: bool) -> list[int]:
    """Frames from the middle of a room's and a corridor's sequence."""
    shards = reader.manifest["shards"]
    chosen = []
    for kind in ("room", "corridor"):
        fitting = [
            sequence
            for sequence, shard in zip(reader.sequences, shards, strict=True)
            if (shard["kind"], shard["moving"]) == (kind, moving)
        ]
        sequence = fitting[len(fitting) // 3]
        chosen.append(sequence[len(sequence) // 2])
    return chosen


def strip(reader: ShardReader) -> np.ndarray:
    """Frames of a corridor with moving things, side by side."""
    shards = reader.manifest["shards"]
    moving = [
        sequence
        for sequence, shard in zip(reader.sequences, shards, strict=True)
        if shard["moving"] and shard["kind"] == "corridor"
    ]
    sequence = moving[len(moving) // 3]
    pictures = [reader.read(index, ["rgb"])["rgb"] for index in sequence[::STEP]]
    return np.concatenate(
        [np.pad(p, ((0, 0), (0, GAP), (0, 0)), constant_values=255) for p in pictures], axis=1
    )


def draw_statistics(statistics: dict, path: Path) -> None:
    """Draws the histogram of depths and the shares of the classes."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.2), width_ratios=(2, 3))
    histogram = statistics["depth_histogram"]
    edges = histogram["edges_m"]
    names = [f"{low:g}" for low in edges[:-1]]
    left.bar(names, np.array(histogram["share"]) * 100, color="teal", width=1, edgecolor="white")
    left.set(xlabel="depth from, in metres", ylabel="% of the pixels with a surface")
    left.tick_params("x", labelrotation=60)
    shares = statistics["label_share"]
    right.bar(list(shares), np.array(list(shares.values())) * 100, color="teal")
    right.set(ylabel="% of the pixels", yscale="log")
    right.tick_params("x", labelrotation=75)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(path, dpi=80)
    tell(path)


def save(picture: np.ndarray, name: str) -> None:
    """Saves a picture."""
    path = IMAGES / name
    Image.fromarray(picture).save(path, optimize=True)
    tell(path)


def tell(path: Path) -> None:
    """Says what was written, and how large it is."""
    sys.stdout.write(f"{path}: {path.stat().st_size / 1000:.0f} kB\n")


if __name__ == "__main__":
    main()
