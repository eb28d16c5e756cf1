"""Training step of the 16-bar hierarchical MusicVAE against a plain step-by-step port.

    python benchmarks/musicvae_step.py [--threads 1] [--repeats 5] [--sizes 16x64,16x256,64x256]

A step is forward, loss, backward, gradient clipping and Adam. Both models start from the same
parameters; their logits are compared before anything is timed. The runs of the two alternate, so
that a busy machine slows both, and with one thread the time is what the processor spent on this
process, so that other processes count little. Ratios are plain / ours.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from _plain_musicvae import PlainMusicVAE
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn

from plugins.musicvae.config import DecoderKind, ModelConfig
from plugins.musicvae.data.tokens import NO_EVENT
from plugins.musicvae.losses import elbo
from plugins.musicvae.models import MusicVAE

NUM_BARS = 16


def build(width: int) -> MusicVAE:
    """A hierarchical model whose LSTMs are all 2 layers of ``width`` units."""
    config = ModelConfig(
        decoder=DecoderKind.hierarchical,
        latent_size=width,
        encoder_size=width,
        conductor_size=width,
        conductor_output=width,
        bar_decoder_size=width,
    )
    return MusicVAE(config, NUM_BARS)


def draw_melodies(batch_size: int) -> Tensor:
    """Random melodies [B, T] with as many no-events as folk tunes have."""
    pitches = torch.randint(55, 85, (batch_size, NUM_BARS * 16))
    return torch.where(torch.rand(pitches.shape) < 0.6, NO_EVENT, pitches)


def make_step(
    model: nn.Module, forward: Callable[[], tuple[Tensor, ...]], tokens: Tensor, *, fused: bool
) -> Callable[[], None]:
    """One optimiser step, ready to be timed."""
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=fused)

    def step() -> None:
        logits, mu, sigma = forward()
        optimizer.zero_grad()
        elbo(logits, tokens, mu, sigma, beta=0.2, free_bits=256)["loss"].backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    return step


def check_same(ours: MusicVAE, plain: PlainMusicVAE, tokens: Tensor) -> float:
    """Largest difference between the logits of the two; raises when they are not the same."""
    generator = torch.Generator().manual_seed(1)
    noise = torch.randn(len(tokens), ours.latent_size, generator=generator)
    generator.manual_seed(1)
    with torch.no_grad():
        our_logits = ours(tokens, generator=generator).logits
        plain_logits, _, _ = plain(tokens, noise)
    torch.testing.assert_close(our_logits, plain_logits, rtol=0, atol=1e-5)
    return (our_logits - plain_logits).abs().max().item()


def time_alternately(steps: list[Callable[[], None]], repeats: int) -> list[float]:
    """Median milliseconds of each, run in turn; the first turn only warms up."""
    # Several threads spin while they wait for each other: their processor time means nothing.
    clock = time.process_time if torch.get_num_threads() == 1 else time.perf_counter
    times: list[list[float]] = [[] for _ in steps]
    for _ in range(repeats + 1):
        for step, taken in zip(steps, times, strict=True):
            start = clock()
            step()
            taken.append((clock() - start) * 1000)
    return [statistics.median(taken[1:]) for taken in times]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--sizes", default="16x64,16x256,64x256", help="BATCHxWIDTH, ...")
    parser.add_argument("--probability", type=float, default=0.5, help="of scheduled sampling")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    table = Table(title=f"16-bar training step, {arguments.threads} thread(s), medians")
    for column in ("batch x width", "decoder reads", "plain ms", "ours ms", "ratio", "max |diff|"):
        table.add_column(column, justify="right")
    for size in arguments.sizes.split(","):
        batch_size, width = map(int, size.split("x"))
        for reads, probability in (("truth", 0.0), ("own draws", arguments.probability)):
            torch.manual_seed(0)
            tokens, ours = draw_melodies(batch_size), build(width)
            plain = PlainMusicVAE(ours)
            difference = check_same(ours, plain, tokens)

            def run_plain(plain=plain, tokens=tokens, width=width, probability=probability):
                return plain(tokens, torch.randn(len(tokens), width), probability)

            def run_ours(ours=ours, tokens=tokens, probability=probability):
                return ours(tokens, sampling_probability=probability)[:3]

            plain_ms, our_ms = time_alternately(
                [
                    make_step(plain, run_plain, tokens, fused=False),
                    make_step(ours, run_ours, tokens, fused=True),
                ],
                arguments.repeats,
            )
            if probability:
                reads = f"own draws, p = {probability:g}"
            table.add_row(
                f"{batch_size} x {width}",
                reads,
                f"{plain_ms:.0f}",
                f"{our_ms:.0f}",
                f"{plain_ms / our_ms:.2f}",
                f"{difference:.0e}",
            )
    Console().print(table)


if __name__ == "__main__":
    main()
