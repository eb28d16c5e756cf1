"""Learns the parity of a few bits: a whole plugin in one file."""

from dataclasses import dataclass, field

from labcore import Plugin, Requires, Task, training


@dataclass(kw_only=True, slots=True)
class ParityConfig:
    """Options: a docstring under a field is its help text."""

    bits: int = 6
    """Bits of an input."""
    train: training.LoopConfig = field(default_factory=lambda: training.LoopConfig(max_steps=600))


def train(run):
    """Trains a small network on all the inputs there are."""
    import torch  # here, so that `lab list` need not wait for it

    bits = torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * run.config.bits)
    rows = bits, bits.sum(dim=1, keepdim=True) % 2
    hidden, out = torch.nn.Linear(run.config.bits, 64), torch.nn.Linear(64, 1)
    model = torch.nn.Sequential(hidden, torch.nn.ReLU(), out)

    def loss(model, batch, loop):
        inputs, parity = loop.fabric.to_device(batch)
        return {"loss": torch.nn.functional.binary_cross_entropy_with_logits(model(inputs), parity)}

    data = training.TensorBatches(*rows, batch_size=16, seed=run.config.seed)
    adam = torch.optim.Adam(model.parameters(), lr=0.02)
    steps = {"training_step": loss, "validate": lambda model, loop: loss(model, rows, loop)}
    training.fit(run, model=model, optimizer=adam, data=data, **steps)


task = Task(name="train", summary="Train a small network.", run="parity:train", trains=True)
needs = Requires(framework="torch", packages=("torch", "lightning-fabric"))
plugin = Plugin(name="parity", summary="Bits.", tasks=(task,), config=ParityConfig, requires=needs)
