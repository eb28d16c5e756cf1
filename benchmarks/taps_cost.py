"""What module taps cost: the same training step without taps, between two looks, and on every step.

    python benchmarks/taps_cost.py [--device cuda] [--seconds 3]

Prints the step time of each and its ratio to the step without taps. The variants take turns in
short blocks, so that a machine that gets slower meanwhile slows all of them; on a CPU the time is
what the processor spent on this process, so that other processes count little.
"""

import argparse
import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace

import torch
from torch import nn

from labcore.hooks import HookSet
from labcore.hooks.taps.hook import Taps

BLOCK = 5
"""Steps of one variant before the next has its turn."""
VARIANTS = {
    "no taps": None,
    "taps, between two looks": ({"**": ["stats", "histogram"]}, 10**9),
    "shape, every step": ({"**": ["shape"]}, 1),
    "stats, every step": ({"**": ["stats"]}, 1),
    "stats and histogram, every step": ({"**": ["stats", "histogram"]}, 1),
    "stats and histogram, every 100": ({"**": ["stats", "histogram"]}, 100),
}


class Model(nn.Module):
    """A small sequence model: six tapped layers, among them an LSTM with three outputs."""

    def __init__(self, width: int = 128) -> None:
        super().__init__()
        self.embed = nn.Linear(90, width)
        self.lstm = nn.LSTM(width, width, num_layers=2, batch_first=True)
        self.head = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 90))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Maps ``[B, T, 90]`` to ``[B, T, 90]``."""
        out, _ = self.lstm(self.embed(x))
        return self.head(out)


class Variant:
    """A model, its optimiser and its hooks."""

    def __init__(self, folder: Path, device: torch.device, taps: tuple[dict, int] | None) -> None:
        torch.manual_seed(0)
        self.model = Model().to(device)
        self.optimizer = torch.optim.Adam(self.model.parameters())
        self.x = torch.randn(32, 32, 90, device=device)
        self.device = device
        self.hooks = HookSet()
        if taps is not None:
            self.hooks.register("taps", Taps(taps[0], every=taps[1]))
        self.loop = SimpleNamespace(step=0, model=self.model)
        self.run = SimpleNamespace(
            folder=folder,
            hooks=self.hooks,
            is_main=True,
            say=lambda text, level="info": None,
            log_metrics=lambda values, step, phase: None,
        )
        self.hooks.call("fit_started", run=self.run, loop=self.loop)
        self.times: list[float] = []

    def take_steps(self, number: int) -> None:
        """Takes and times steps, with the hook calls of the loop in them."""
        clock = time.perf_counter if self.device.type == "cuda" else time.process_time
        for _ in range(number):
            self._wait()
            start = clock()
            if self.hooks.has("step_started"):
                self.hooks.call("step_started", run=self.run, loop=self.loop)
            loss = (self.model(self.x) - self.x).square().mean()
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            self.loop.step += 1
            if self.hooks.has("step_ended"):
                self.hooks.call("step_ended", run=self.run, loop=self.loop)
            self._wait()
            self.times.append(clock() - start)

    def _wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seconds", type=float, default=3.0, help="for each variant")
    options = parser.parse_args()
    torch.set_num_threads(1)
    device = torch.device(options.device)
    with TemporaryDirectory() as folder:
        variants = {name: Variant(Path(folder), device, taps) for name, taps in VARIANTS.items()}
        for variant in variants.values():
            variant.take_steps(3)
            # The very first look of a run is no typical step.
            variant.times.clear()
        end = time.perf_counter() + options.seconds * len(variants)
        while time.perf_counter() < end:
            for variant in variants.values():
                variant.take_steps(BLOCK)
    name_of_device = torch.cuda.get_device_name() if device.type == "cuda" else "CPU, one thread"
    print(f"{name_of_device}; {len(list(Model().modules())) - 1} layers tapped\n")
    print(f"{'':34}{'median ms':>10}{'mean ms':>10}{'ratio of medians':>18}{'of means':>10}")
    plain = next(iter(variants.values())).times
    for name, variant in variants.items():
        median, mean = statistics.median(variant.times), statistics.fmean(variant.times)
        ratios = median / statistics.median(plain), mean / statistics.fmean(plain)
        print(
            f"{name:34}{1000 * median:10.3f}{1000 * mean:10.3f}{ratios[0]:18.3f}{ratios[1]:10.3f}"
        )


if __name__ == "__main__":
    main()
