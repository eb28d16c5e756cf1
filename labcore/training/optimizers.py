"""The optimiser of a recipe, with parameters of their own settings chosen by pattern."""

from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from labcore.errors import UsageError, nearest
from labcore.training.recipes import OptimizerConfig, OptimizerName

__all__ = ["RMSpropTF", "build_optimizer"]


def build_optimizer(model: nn.Module, config: OptimizerConfig) -> Optimizer:
    """Makes the optimiser of the parameters that are to be trained.

    Parameters with the same learning rate and weight decay are one group of the optimiser; those
    with the learning rate ``config.lr`` come first, so that it is the one that is recorded.

    Raises:
        UsageError: A pattern matches no parameter, or there is none to train.
    """
    settings = _settings(model, config)
    groups: dict[tuple[float, float], list[Tensor]] = {}
    for parameter, chosen in settings.items():
        if parameter.requires_grad:
            groups.setdefault(chosen, []).append(parameter)
    if not groups:
        raise UsageError("the model has no parameter to train: all have requires_grad=False")
    ordered = sorted(groups.items(), key=lambda item: item[0][0] != 1.0)
    params = [
        {"params": members, "lr": config.lr * scale, "weight_decay": decay}
        for (scale, decay), members in ordered
    ]
    return _MAKERS[config.name](params, config)


def _settings(model: nn.Module, config: OptimizerConfig) -> dict[Tensor, tuple[float, float]]:
    """Returns the share of the learning rate and the weight decay of every parameter."""
    names = dict(model.named_parameters(remove_duplicate=False))
    _check_patterns(config.groups, names)
    scales, decays = dict.fromkeys(names.values(), 1.0), {}
    for parameter in scales:
        decays[parameter] = config.weight_decay * (config.decay_all or parameter.ndim > 1)
    for pattern, group in config.groups.items():
        for name, parameter in names.items():
            if not fnmatchcase(name, pattern):
                continue
            scales[parameter] = group.get("lr_scale", scales[parameter])
            decays[parameter] = group.get("weight_decay", decays[parameter])
    return {parameter: (scales[parameter], decays[parameter]) for parameter in scales}


def _check_patterns(patterns: Iterable[str], names: Iterable[str]) -> None:
    problems = []
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in names):
            close = nearest(pattern, names, 3) or list(names)[:3]
            problems.append(f"{pattern!r} matches none; the nearest are {', '.join(close)}")
    if problems:
        raise UsageError(
            "optimizer.groups names parameters that the model does not have",
            problems=problems,
            fix="a pattern is a parameter's dotted name, with * for any part of it",
        )


def _rmsprop(kind: type[Optimizer]) -> Callable[[Any, OptimizerConfig], Optimizer]:
    def make(params: Any, c: OptimizerConfig) -> Optimizer:
        options: Mapping[str, Any] = {"momentum": c.momentum, "alpha": c.alpha, "eps": c.eps}
        return kind(params, lr=c.lr, **options)  # type: ignore[call-arg]  # of both kinds

    return make


def _adam(kind: type[torch.optim.Adam]) -> Callable[[Any, OptimizerConfig], Optimizer]:
    return lambda params, c: kind(
        params, lr=c.lr, betas=(c.betas[0], c.betas[1]), eps=c.eps, fused=True
    )


class RMSpropTF(Optimizer):
    """RMSprop as TensorFlow 1 has it, with momentum and an L2 weight decay.

    ``square`` begins at 1 and ``velocity`` at 0::

        square = alpha * square + (1 - alpha) * gradient ** 2
        velocity = momentum * velocity + lr * gradient / sqrt(square + eps)
        weight = weight - velocity

    torch's adds ``eps`` to the root and multiplies by the learning rate after the momentum.
    """

    def __init__(
        self,
        params: Any,
        *,
        lr: float,
        alpha: float = 0.9,
        momentum: float = 0.0,
        eps: float = 1e-10,
        weight_decay: float = 0.0,
    ) -> None:
        defaults = {"lr": lr, "alpha": alpha, "momentum": momentum, "eps": eps}
        super().__init__(params, {**defaults, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Takes one step."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                if not state:
                    state["square"] = torch.ones_like(weight)
                    state["velocity"] = torch.zeros_like(weight)
                gradient = weight.grad.add(weight, alpha=group["weight_decay"])
                square, alpha = state["square"], group["alpha"]
                square.mul_(alpha).addcmul_(gradient, gradient, value=1 - alpha)
                root = square.add(group["eps"]).sqrt_()
                state["velocity"].mul_(group["momentum"]).addcdiv_(
                    gradient, root, value=group["lr"]
                )
                weight.sub_(state["velocity"])
        return loss


_MAKERS: Mapping[OptimizerName, Callable[[Any, OptimizerConfig], Optimizer]] = {
    OptimizerName.adam: _adam(torch.optim.Adam),
    OptimizerName.adamw: _adam(torch.optim.AdamW),
    OptimizerName.sgd: lambda params, c: torch.optim.SGD(
        params, lr=c.lr, momentum=c.momentum, nesterov=c.nesterov, fused=True
    ),
    OptimizerName.rmsprop: _rmsprop(torch.optim.RMSprop),
    OptimizerName.rmsprop_tf: _rmsprop(RMSpropTF),
}
