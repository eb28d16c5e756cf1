"""The tiny plugin, and sweeps of it in a folder of their own."""

import sys

import pytest

from tests.labcore.sweeps.sweeping import PLUGIN


@pytest.fixture
def toy(write_plugin, tmp_path, monkeypatch):
    """The plugin, with the test's folder as the working folder."""
    if sys.platform == "win32":
        pytest.skip("trials on other machines need POSIX's signals")
    monkeypatch.chdir(tmp_path)
    write_plugin("toy", PLUGIN)
