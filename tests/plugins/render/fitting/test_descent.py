"""Steps, learning rates, and loops that a fit refuses."""

import pytest
import torch

from labcore.errors import UsageError
from labcore.training import LoopConfig
from plugins.render.fitting import check_loop, cosine_after, step_batches

pytestmark = pytest.mark.ml


def rates(config, *, hold):
    optimizer = torch.optim.Adam([torch.zeros(1, requires_grad=True)], lr=0.4)
    scheduler = cosine_after(optimizer, config, hold=hold)
    seen = []
    for _ in range(config.max_steps):
        seen.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return seen


def test_the_learning_rate_stays_and_then_falls_to_a_fiftieth():
    seen = rates(LoopConfig(max_steps=101), hold=0.5)
    assert seen[:51] == pytest.approx([0.4] * 51)
    assert seen[75] == pytest.approx(0.4 * 0.51)
    assert seen[100] == pytest.approx(0.4 * 0.02)
    assert sorted(seen, reverse=True) == seen


def test_a_fit_of_one_step_is_possible():
    assert rates(LoopConfig(max_steps=1), hold=0.0) == pytest.approx([0.4])


def test_an_epoch_is_the_whole_fit():
    assert len(step_batches(LoopConfig(max_steps=37))) == 37


def test_what_a_fit_cannot_do_is_said_all_at_once():
    with pytest.raises(UsageError) as caught:
        check_loop(LoopConfig(precision="bf16-mixed", devices=2))
    assert "train.precision=bf16-mixed" in str(caught.value)
    assert "train.devices" in str(caught.value)
    check_loop(LoopConfig())


def test_a_fit_is_not_counted_in_epochs():
    with pytest.raises(UsageError) as caught:
        check_loop(LoopConfig(max_steps=0, max_epochs=3))
    assert "train.max_steps" in str(caught.value.problems)
