"""Random SIGKILLs over a small sweep; benchmarks/sweep_kill.py does it for longer."""

import importlib.util
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.ml,
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="the killer looks for processes in /proc"),
]
pytest.importorskip("optuna", reason="the study is Optuna's")

_BENCHMARKS = Path(__file__).parents[4] / "benchmarks"


def load(name):
    spec = importlib.util.spec_from_file_location(name, _BENCHMARKS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def benchmark(monkeypatch):
    monkeypatch.syspath_prepend(str(_BENCHMARKS))
    yield load("sweep_kill")
    for name in ("sweep_kill", "_postgres"):
        sys.modules.pop(name, None)


def survive(benchmark, folder, **options):
    arena = benchmark.Arena(folder, trials=9, agents=3, pause_s=0.06, **options)
    outcome = arena.run(12.0)
    assert outcome.faults == []
    assert outcome.states == {"completed": 9}
    assert sum(outcome.kills.values()) >= 2  # on a busy machine; five to eight on a quiet one


def test_no_trial_is_lost_and_none_run_twice_whoever_is_killed(benchmark, tmp_path):
    survive(benchmark, tmp_path, seed=1)


def test_nor_with_the_study_in_postgresql(benchmark, tmp_path):
    import tempfile

    lacking = sys.modules["_postgres"].missing()
    if lacking:
        pytest.skip(lacking)
    with tempfile.TemporaryDirectory() as place:  # root's tmp_path lets no other user in
        Path(place).chmod(0o755)
        with sys.modules["_postgres"].postgres(Path(place) / "server") as url:
            survive(benchmark, tmp_path, storage=url, seed=2)
