"""The program on the page of what plugins share prints what the page says."""

import runpy
from pathlib import Path

import pytest

pytest.importorskip("numpy")
pytest.importorskip("scipy", reason="the extra musicvae brings it")

DOCS = Path(__file__).parents[2] / "docs"


def test_the_program_prints_what_the_page_says(capsys):
    runpy.run_path(str(DOCS / "examples" / "results.py"))
    page = (DOCS / "kit.md").read_text(encoding="utf-8")
    assert f"```text\n{capsys.readouterr().out}```" in page
