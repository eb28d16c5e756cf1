"""Learning rates against their closed forms, at both ends, in the middle and between."""

import math
import warnings
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
import torch

from labcore.errors import UsageError
from labcore.training import ScheduleConfig, TensorBatches, build_schedule, fit
from labcore.training.recipes import ScheduleName


def optimizer(**options: Any) -> torch.optim.Optimizer:
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=2.0, **options)


def rates(steps: int, name: ScheduleName, **options: Any) -> list[float]:
    """The learning rate of each step, for an optimiser of 2.0."""
    ours = optimizer()
    schedule = build_schedule(ours, ScheduleConfig(name=name, **options), steps)
    seen = []
    for _ in range(steps):
        seen.append(ours.param_groups[0]["lr"])
        ours.step()
        schedule.step()
    return seen


def test_constant_stays() -> None:
    assert rates(5, ScheduleName.constant) == [2.0] * 5


def test_a_warm_up_is_a_straight_line_to_the_full_rate() -> None:
    seen = rates(20, ScheduleName.constant, warmup_steps=10, start=0.1)
    assert seen[0] == pytest.approx(0.2)
    assert seen[5] == pytest.approx(1.1)
    assert seen[10:] == [2.0] * 10


def test_cosine_falls_along_half_a_wave() -> None:
    seen = rates(100, ScheduleName.cosine, end=0.1)
    assert seen[0] == pytest.approx(2.0)
    assert seen[50] == pytest.approx(1.1)
    assert seen[25] == pytest.approx(0.2 + 1.8 * (1 + math.sqrt(0.5)) / 2)
    assert seen[99] == pytest.approx(0.2, rel=0.01)


def test_cosine_is_that_of_torch() -> None:
    theirs = optimizer()
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(theirs, T_max=30, eta_min=0.2)
    for rate in rates(30, ScheduleName.cosine, end=0.1):
        assert rate == pytest.approx(theirs.param_groups[0]["lr"])
        theirs.step()
        schedule.step()


def test_poly_falls_to_its_end() -> None:
    seen = rates(100, ScheduleName.poly, power=0.9, end=0.1)
    assert seen[0] == pytest.approx(2.0)
    assert seen[50] == pytest.approx(2.0 * (0.1 + 0.9 * 0.5**0.9))
    assert seen[99] == pytest.approx(2.0 * (0.1 + 0.9 * 0.01**0.9))


def test_the_rest_of_the_training_begins_where_the_warm_up_ends() -> None:
    seen = rates(110, ScheduleName.poly, power=1.0, warmup_steps=10, start=0.5)
    assert seen[0] == pytest.approx(1.0)
    assert seen[10] == pytest.approx(2.0)
    assert seen[60] == pytest.approx(1.0)


def test_one_cycle_rises_to_the_full_rate_and_falls_to_its_end() -> None:
    seen = rates(100, ScheduleName.one_cycle, start=0.04, end=0.0004)
    assert seen[0] == pytest.approx(0.08)
    assert seen[29] == pytest.approx(2.0)  # 30% of the steps
    assert seen[99] == pytest.approx(0.0008)
    middle = rates(101, ScheduleName.one_cycle, warmup_steps=11)  # up to step 10, then 90 down
    assert middle[10] == pytest.approx(2.0)
    assert middle[55] == pytest.approx(1.0)
    assert middle[100] == pytest.approx(0.0)


@pytest.mark.parametrize("moves", [True, False])
def test_one_cycle_leaves_the_momentum_unless_asked(moves: bool) -> None:
    ours = optimizer(momentum=0.9)
    config = ScheduleConfig(name=ScheduleName.one_cycle, cycle_momentum=moves)
    build_schedule(ours, config, 10)
    assert ours.param_groups[0]["momentum"] == (0.95 if moves else 0.9)


def test_step_drops_at_its_milestones_or_at_every_so_many_steps() -> None:
    seen = rates(100, ScheduleName.step, milestones=[30, 60], gamma=0.1)
    assert [seen[at] for at in (0, 29, 30, 59, 60, 99)] == pytest.approx(
        [2.0, 2.0, 0.2, 0.2, 0.02, 0.02]
    )
    seen = rates(100, ScheduleName.step, every=40, gamma=0.5)
    assert [seen[at] for at in (0, 39, 40, 80, 99)] == pytest.approx([2.0, 2.0, 1.0, 0.5, 0.5])


def test_exponential_falls_by_gamma_in_every_so_many_steps_towards_its_end() -> None:
    seen = rates(101, ScheduleName.exponential, gamma=0.5, every=50)
    assert [seen[at] for at in (0, 25, 50, 100)] == pytest.approx(
        [2.0, 2.0 * math.sqrt(0.5), 1.0, 0.5]
    )
    assert rates(400, ScheduleName.exponential, gamma=0.9, end=0.25)[-1] == pytest.approx(0.5)


def test_groups_keep_their_share_of_the_rate() -> None:
    weights = [torch.nn.Parameter(torch.zeros(1)) for _ in range(2)]
    groups = [{"params": weights[:1], "lr": 2.0}, {"params": weights[1:], "lr": 0.2}]
    for name in (ScheduleName.cosine, ScheduleName.one_cycle):
        ours = torch.optim.SGD(groups)
        schedule = build_schedule(ours, ScheduleConfig(name=name), 10)
        for _ in range(10):
            whole, tenth = (group["lr"] for group in ours.param_groups)
            assert tenth == pytest.approx(whole / 10)
            ours.step()
            schedule.step()


def test_a_warm_up_longer_than_the_training_is_refused() -> None:
    with pytest.raises(UsageError, match="warmup_steps=10 leaves nothing"):
        build_schedule(optimizer(), ScheduleConfig(warmup_steps=10), 10)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"warmup_steps": -1}, "schedule.warmup_steps"),
        ({"start": 0.0}, "schedule.start"),
        ({"end": -0.1}, "schedule.end"),
        ({"gamma": 0.0}, "schedule.gamma"),
        ({"power": 0.0}, "schedule.power"),
        ({"every": 0}, "schedule.every"),
        ({"milestones": [0]}, "schedule.milestones"),
        ({"name": ScheduleName.step}, "needs schedule.every"),
    ],
)
def test_an_impossible_option_is_named(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        ScheduleConfig(**options)


def test_the_loop_makes_the_schedule_for_its_own_number_of_steps(
    toy: ModuleType, new_run: Callable[..., Any]
) -> None:
    run, model, data = (
        new_run(max_steps=0, max_epochs=2, log_every=1),
        toy.make_model(),
        toy.Noisy(),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # one_cycle would raise, and torch warns of a wrong order
        fit(
            run,
            model=model,
            optimizer=torch.optim.SGD(model.parameters(), lr=0.1),
            data=TensorBatches(data.x, data.y, batch_size=11, seed=0),
            training_step=toy.regression_step,
            scheduler=ScheduleConfig(name=ScheduleName.poly, power=1.0),
        )
    seen = [values["lr"] for _, values in run.recorder.of("train")]
    assert seen == pytest.approx([0.1 * (1 - step / 8) for step in range(8)])
