"""The profiler sees kernels where there are some."""

import json
import os
import subprocess
import sys

import pytest

torch = pytest.importorskip("torch")

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.ml,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]


def test_a_run_on_the_gpu_leaves_its_kernels_and_its_memory(tmp_path):
    words = [
        "run", "plugin=musicvae", "preset=smoke", "device=cuda", "hooks=[console,profile]",
        "hooks.profile.whole=true", f"runs_dir={tmp_path}",
    ]  # fmt: skip
    subprocess.run([sys.executable, "-m", "labcore", *words], check=True, env=dict(os.environ))
    (summary,) = tmp_path.rglob("profile.json")
    figures = json.loads(summary.read_text())
    assert figures["kernel_ms"] > 0
    assert figures["num_kernels"] > 100
    assert figures["peak_memory_mib"] > 1
    (table,) = tmp_path.rglob("operators.csv")
    assert "GPU," in table.read_text()
