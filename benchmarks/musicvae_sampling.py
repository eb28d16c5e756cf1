"""Writing 16 bars with the hierarchical MusicVAE against a plain step-by-step port.

    python benchmarks/musicvae_sampling.py [--threads 1] [--repeats 5] [--width 256]

Both models have the same parameters, and their logits are compared before anything is timed. The
runs of the two alternate. Ratios are plain / ours.
"""

import argparse

import torch
from _plain_musicvae import PlainMusicVAE
from musicvae_step import NUM_BARS, build, check_same, draw_melodies, time_alternately
from rich.console import Console
from rich.table import Table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--width", type=int, default=256)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    ours = build(arguments.width)
    plain = PlainMusicVAE(ours)
    difference = check_same(ours, plain, draw_melodies(4))
    table = Table(
        title=f"Sampling 16 bars, width {arguments.width}, {arguments.threads} thread(s), medians",
        caption=f"largest difference of logits {difference:.0e}",
    )
    for column in ("batch", "plain ms", "ours ms", "ratio"):
        table.add_column(column, justify="right")
    for batch_size in (1, 64):
        z = ours.sample_prior(batch_size)
        plain_ms, our_ms = time_alternately(
            [
                lambda z=z: plain.generate(z, NUM_BARS * 16),
                lambda z=z: ours.generate(z),
            ],
            arguments.repeats,
        )
        table.add_row(
            str(batch_size), f"{plain_ms:.0f}", f"{our_ms:.0f}", f"{plain_ms / our_ms:.2f}"
        )
    Console().print(table)


if __name__ == "__main__":
    main()
