"""The parity of a few bits, with optimiser and learning rate among the options."""

from dataclasses import dataclass, field

import parity

from labcore import Plugin, Task, training


@dataclass(kw_only=True, slots=True)
class RecipeConfig(parity.ParityConfig):
    """Options: those of parity, and a recipe."""

    optimizer: training.OptimizerConfig = field(
        default_factory=lambda: training.OptimizerConfig(lr=0.02)
    )
    schedule: training.ScheduleConfig = field(default_factory=training.ScheduleConfig)


def train(run):
    """Trains a small network on all the inputs there are."""
    import torch

    bits = torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * run.config.bits)
    data = training.TensorBatches(
        bits, bits.sum(dim=1, keepdim=True) % 2, batch_size=16, seed=run.config.seed
    )
    hidden, out = torch.nn.Linear(run.config.bits, 64), torch.nn.Linear(64, 1)
    model = torch.nn.Sequential(hidden, torch.nn.ReLU(), out)

    def loss(model, batch, loop):
        inputs, odd = batch
        return {"loss": torch.nn.functional.binary_cross_entropy_with_logits(model(inputs), odd)}

    training.fit(
        run,
        model=model,
        optimizer=training.build_optimizer(model, run.config.optimizer),
        scheduler=run.config.schedule,
        data=data,
        training_step=loss,
    )


task = Task(name="train", summary="Train a small network.", run="recipe:train", trains=True)
plugin = Plugin(
    name="parity", summary="Bits.", tasks=(task,), config=RecipeConfig, requires=parity.needs
)
