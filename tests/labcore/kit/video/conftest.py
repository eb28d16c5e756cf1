"""Films need a plugin's packages."""

import pytest

for package in ("av", "numpy", "PIL"):
    pytest.importorskip(package, reason="the extra render brings it")
