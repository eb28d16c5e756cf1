"""Watching layers during a step: figures, several calls, no trace left."""

import numpy as np
import pytest
import torch
from torch import nn

from labcore.hooks.taps import Recorder


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, 5, batch_first=True)
        self.head = nn.Linear(5, 2)
        self.unused = nn.Linear(1, 1)

    def forward(self, x):
        out, _ = self.lstm(x)
        return self.head(out)


@pytest.fixture
def model():
    return Model()


def num_hooks(model):
    return sum(len(layer._forward_hooks) for layer in model.modules())


def test_outputs_and_gradients_have_figures_by_name(model):
    recorder = Recorder(model, {"head": ["stats", "shape"]})
    recorder.attach()
    output = model(torch.randn(4, 6, 3))
    output.square().sum().backward()
    recorder.detach()
    values = recorder.collect().values
    array = output.detach().double().numpy()
    assert values["head/out/mean"] == pytest.approx(array.mean(), rel=1e-5)
    assert values["head/grad/rms"] == pytest.approx(np.sqrt((4 * array**2).mean()), rel=1e-5)
    assert [values[f"head/out/shape.{n}"] for n in range(3)] == [4, 6, 2]
    assert values["head/calls"] == 1


def test_nested_outputs_have_a_name_each(model):
    recorder = Recorder(model, {"lstm": ["stats"]})
    recorder.attach()
    model(torch.randn(4, 6, 3))
    values = recorder.collect().values
    assert {"lstm/out.0/mean", "lstm/out.1.0/mean", "lstm/out.1.1/mean"} <= set(values)


def test_of_several_calls_the_last_one_counts(model):
    recorder = Recorder(model, {"head": ["stats", "save"]})
    recorder.attach()
    model(torch.zeros(1, 1, 3))
    last = model(torch.ones(2, 1, 3))
    seen = recorder.collect()
    assert seen.values["head/calls"] == 2
    torch.testing.assert_close(seen.tensors["head/out"], last.detach())


def test_kinds_of_overlapping_paths_add_up(model):
    recorder = Recorder(model, {"*": ["shape"], "head": ["histogram"]})
    recorder.attach()
    output = model(torch.randn(4, 6, 3))
    seen = recorder.collect()
    assert "lstm/out.0/shape.0" in seen.values
    counts, edges = seen.histograms["head/out"]
    assert sum(counts) == output.numel()
    assert len(edges) == len(counts) + 1
    assert edges[0] == pytest.approx(output.min().item())
    assert edges[-1] == pytest.approx(output.max().item())


def test_layers_that_did_not_run_are_told(model):
    recorder = Recorder(model, {"*": ["stats"]})
    recorder.attach()
    model(torch.randn(1, 1, 3))
    assert recorder.collect().silent == ("unused",)


def test_nothing_is_on_the_model_while_detached(model):
    recorder = Recorder(model, {"**": ["stats"]})
    assert num_hooks(model) == 0
    recorder.attach()
    assert num_hooks(model) == 3
    recorder.detach()
    assert num_hooks(model) == 0


def test_a_gradient_that_comes_after_the_step_is_not_recorded(model):
    recorder = Recorder(model, {"head": ["stats"]})
    recorder.attach()
    loss = model(torch.randn(1, 1, 3)).sum()
    recorder.detach()
    recorder.collect()
    loss.backward(retain_graph=True)
    recorder.attach()
    loss.backward()
    assert not any("grad" in name for name in recorder.collect().values)


def test_a_tensor_that_has_no_figures_does_not_stop_the_model(caplog):
    class Sparse(nn.Module):
        def forward(self, x):
            return x.to_sparse()

    model = nn.Sequential(Sparse())
    recorder = Recorder(model, {"0": ["stats", "histogram"]})
    recorder.attach()
    for _ in range(2):
        model(torch.eye(3))
    assert "the tap on 0 is off" in caplog.text
    assert len(caplog.records) == 1
    assert not any("mean" in name for name in recorder.collect().values)


def test_an_empty_tensor_has_a_shape_and_no_figures(model):
    recorder = Recorder(model, {"head": ["shape", "stats", "histogram"]})
    recorder.attach()
    model.head(torch.empty(0, 5))
    seen = recorder.collect()
    assert seen.values["head/out/shape.0"] == 0
    assert "head/out/mean" not in seen.values
    assert not seen.histograms


def test_watching_changes_no_number(model):
    x = torch.randn(2, 3, 3)
    plain = model(x)
    plain.sum().backward()
    expected = [p.grad.clone() for p in model.lstm.parameters()]
    model.zero_grad()
    state = torch.get_rng_state()
    recorder = Recorder(model, {"**": ["shape", "stats", "histogram", "save"]})
    recorder.attach()
    watched = model(x)
    watched.sum().backward()
    recorder.collect()
    assert torch.equal(plain, watched)
    assert all(
        torch.equal(a, p.grad) for a, p in zip(expected, model.lstm.parameters(), strict=True)
    )
    assert torch.equal(state, torch.get_rng_state())
