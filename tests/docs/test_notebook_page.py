"""The cells of the page on notebooks, run one after the other as a kernel would.

The one thing that differs is the data: a folder of tunes made here, in fewer steps.
"""

import re
from pathlib import Path

import pytest

from tests.e2e.test_musicvae_commands import write_tune

pytestmark = [pytest.mark.e2e, pytest.mark.ml]

PAGE = Path(__file__).parents[2] / "docs" / "notebooks.md"
CELLS = [
    cell
    for cell in re.findall(r"^```python\n(.*?)^```$", PAGE.read_text("utf-8"), re.M | re.S)
    if "--8<--" not in cell
]


def test_its_cells_do_what_the_page_says(tmp_path, monkeypatch, capsys):
    pytest.importorskip("torch")
    pytest.importorskip("pretty_midi")
    (tmp_path / "tunes").mkdir()
    for seed in range(40):
        write_tune(tmp_path / "tunes" / f"tune{seed:02d}.mid", seed)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAB_DATA_DIR", str(tmp_path / "data"))
    import labcore.api

    here = {
        "device": "cpu",
        "threads": 1,
        "hooks": ["console", "jsonl"],
        "data.dataset": "folder",
        "data.folder": "tunes",
        "data.workers": 1,
        "train.max_steps": 10,
        "train.validate_every": 5,
    }
    started = labcore.api.run

    def run(plugin, overrides=(), /, **options):
        return started(plugin, here | dict(overrides), **options)

    monkeypatch.setattr(labcore.api, "run", run)
    kernel: dict[str, object] = {}
    for cell in CELLS:
        exec(compile(cell, str(PAGE), "exec"), kernel)
    assert kernel["best"] in (5, 10)
    assert kernel["final"] == kernel["loss"].last
    assert kernel["sound"].stat().st_size > 1000
    assert kernel["page"].is_file()
    assert kernel["model"].num_parameters > 1000
    assert sum(name.endswith(".wav") for name in kernel["samples"].artifacts) == 2
    printed = capsys.readouterr().out.splitlines()
    listed = [line for line in printed if re.match(r"musicvae/\S+ finished \d ", line)]
    assert len(listed) == 2
