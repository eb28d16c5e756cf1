"""The program on the render page runs as it stands."""

import re
from pathlib import Path

import pytest
from PIL import Image

pytestmark = pytest.mark.ml

PAGE = Path(__file__).parents[3] / "docs" / "render.md"


def test_the_program_on_the_page_writes_its_gif(tmp_path, monkeypatch):
    (program,) = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(compile(program, str(PAGE), "exec"), {})
    with Image.open(tmp_path / "knot.gif") as gif:
        assert (gif.n_frames, gif.size) == (24, (128, 128))
