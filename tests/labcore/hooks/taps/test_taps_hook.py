"""Taps in a run: on for a step, gone until the next turn."""

import json
from types import SimpleNamespace

import pytest

from labcore.errors import UsageError
from labcore.hooks import hookimpl
from labcore.hooks.taps.hook import HISTOGRAMS, Taps
from labcore.hooks.taps.picture import draw

torch = pytest.importorskip("torch", reason="needs torch: pip install unified-ml-lab[torch]")
np = pytest.importorskip("numpy")
nn = torch.nn


class Listener:
    def __init__(self):
        self.records = []
        self.histograms = []

    @hookimpl
    def metrics(self, values, step, phase):
        self.records.append((phase, step, dict(values)))

    @hookimpl
    def histogram(self, name, counts, edges, step):
        self.histograms.append((step, name, sum(counts)))


@pytest.fixture
def model():
    torch.set_num_threads(1)
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 2))


@pytest.fixture
def loop(model):
    return SimpleNamespace(step=0, epoch=0, model=model)


@pytest.fixture
def listener(hooks):
    listener = Listener()
    hooks.register("listener", listener)
    return listener


def take_step(hooks, run, loop):
    """Takes a step; returns how many hooks were on the model during it."""
    hooks.call("step_started", run=run, loop=loop)
    during = num_hooks(loop.model)
    loop.model(torch.randn(4, 3)).sum().backward()
    loop.step += 1
    hooks.call("step_ended", run=run, loop=loop)
    return during


def num_hooks(model):
    return sum(len(layer._forward_hooks) for layer in model.modules())


def test_hooks_are_on_the_model_in_one_of_every_n_steps_only(hooks, run, loop, listener):
    hooks.register("taps", Taps({"0": ["stats"], "2": ["stats"]}, every=3))
    hooks.call("fit_started", run=run, loop=loop)
    assert num_hooks(loop.model) == 0
    during = []
    for _ in range(7):
        during.append(take_step(hooks, run, loop))
        assert num_hooks(loop.model) == 0
    assert during == [2, 0, 0, 2, 0, 0, 2]
    assert [(phase, step) for phase, step, _ in listener.records] == [
        ("taps", 1),
        ("taps", 4),
        ("taps", 7),
    ]
    assert {"0/out/mean", "0/grad/rms", "2/out/nans", "2/calls"} <= set(listener.records[0][2])


def test_histograms_go_to_the_other_hooks_and_to_a_file(hooks, run, loop, listener):
    hooks.register("taps", Taps({"2": ["histogram"]}, every=1))
    hooks.call("fit_started", run=run, loop=loop)
    take_step(hooks, run, loop)
    assert listener.histograms == [(1, "2/out", 8), (1, "2/grad", 8)]
    rows = [json.loads(line) for line in (run.folder / HISTOGRAMS).read_text().splitlines()]
    assert [(row["step"], row["name"], sum(row["counts"])) for row in rows] == listener.histograms


def test_resuming_drops_the_histograms_that_come_again(hooks, run, loop, listener):
    hooks.register("taps", Taps({"2": ["histogram"]}, every=1))
    hooks.call("fit_started", run=run, loop=loop)
    for _ in range(4):
        take_step(hooks, run, loop)
    with (run.folder / HISTOGRAMS).open("a") as stream:
        stream.write('{"step": 4, "na')
    loop.step = 2
    hooks.call("checkpoint_loaded", run=run, loop=loop, path=run.folder)
    rows = [json.loads(line) for line in (run.folder / HISTOGRAMS).read_text().splitlines()]
    assert {row["step"] for row in rows} == {1, 2}


def test_saved_tensors_are_what_went_through_and_stop_at_the_limit(hooks, run, loop, listener):
    # One output of 4 x 2 floats has 32 bytes, in a file of some hundred.
    hooks.register("taps", Taps({"2": ["save"]}, every=1, max_saved_mib=600 / 2**20))
    hooks.call("fit_started", run=run, loop=loop)
    for _ in range(3):
        take_step(hooks, run, loop)
    hooks.call("run_ended", run=run, state="finished")
    files = sorted((run.folder / "artifacts" / "taps").glob("*.npz"))
    assert [file.name for file in files] == ["step_00000001.npz"]
    with np.load(files[0]) as arrays:
        assert set(arrays) == {"2/out", "2/grad"}
        assert arrays["2/out"].shape == (4, 2)
        np.testing.assert_array_equal(arrays["2/grad"], np.ones((4, 2)))
    assert any("4 tensors were not saved" in text for _, text in run.said)


def test_saved_tensors_are_drawn(hooks, run, loop):
    image = pytest.importorskip("PIL.Image", reason="pictures need Pillow")
    hooks.register("taps", Taps({"2": ["save"]}, every=1))
    hooks.call("fit_started", run=run, loop=loop)
    take_step(hooks, run, loop)
    with image.open(run.folder / "artifacts/taps/2-out.png") as picture:
        assert picture.size == (96, 192)  # 2 wide and 4 high, at 48 pixels a value
    assert not hooks.dropped


@pytest.mark.parametrize(
    ("shape", "size"),
    [((7,), (189, 27)), ((2, 6, 5, 3), (16 * 12, 12 * 12)), ((1, 1, 300, 300), (256, 256))],
)
def test_maps_lie_in_rows_of_four(tmp_path, shape, size):
    image = pytest.importorskip("PIL.Image", reason="pictures need Pillow")
    values = np.linspace(-1, 1, np.prod(shape)).reshape(shape)
    assert draw(values, tmp_path / "map.png")
    with image.open(tmp_path / "map.png") as picture:
        assert picture.size == size
        assert picture.getextrema()[0] == 0


def test_an_unknown_layer_stops_the_run_when_the_model_is_built(hooks, run, model):
    hooks.register("taps", Taps({"encoder": ["stats"]}))
    with pytest.raises(UsageError, match="no such layers"):
        hooks.call("model_ready", run=run, model=model)


def test_a_run_that_does_not_train_is_logged_at_its_end(hooks, run, model, listener):
    hooks.register("taps", Taps({"0": ["stats"]}, every=2))
    hooks.call("model_ready", run=run, model=model)
    for _ in range(5):
        model(torch.randn(1, 3))
    hooks.call("run_ended", run=run, state="finished")
    ((phase, step, values),) = listener.records
    assert (phase, step) == ("taps", 0)
    assert values["0/calls"] == 5
    assert num_hooks(model) == 0


def test_what_ran_before_training_is_forgotten(hooks, run, loop, model, listener):
    hooks.register("taps", Taps({"0": ["stats"]}, every=1))
    hooks.call("model_ready", run=run, model=model)
    model(torch.randn(1, 3))
    hooks.call("fit_started", run=run, loop=loop)
    assert num_hooks(model) == 0
    take_step(hooks, run, loop)
    hooks.call("fit_ended", run=run, loop=loop, reason="max_steps")
    hooks.call("run_ended", run=run, state="finished")
    assert [values["0/calls"] for _, _, values in listener.records] == [1]


@pytest.mark.parametrize("moment", ["fit_ended", "run_ended"])
def test_a_step_that_fails_leaves_no_hooks_behind(hooks, run, loop, model, moment):
    hooks.register("taps", Taps({"0": ["stats"]}, every=1))
    hooks.call("fit_started", run=run, loop=loop)
    hooks.call("step_started", run=run, loop=loop)
    assert num_hooks(model) == 1
    arguments = {"run": run, "loop": loop, "reason": "error"}
    if moment == "run_ended":
        arguments = {"run": run, "state": "failed"}
    hooks.call(moment, **arguments)
    assert num_hooks(model) == 0


def test_layers_that_never_run_are_told_once(hooks, run, loop, model, listener):
    model.add_module("spare", nn.ModuleList([nn.Linear(1, 1)]))
    model.forward = lambda x: model[0](x)
    hooks.register("taps", Taps({"spare[0]": ["stats"], "0": ["stats"]}, every=1))
    hooks.call("fit_started", run=run, loop=loop)
    for _ in range(2):
        take_step(hooks, run, loop)
    warnings = [text for level, text in run.said if level == "warning"]
    assert warnings == ["taps: no forward pass went through spare.0"]
