"""What the tests of gathering share."""

import pytest

from labcore.doctor.gather import files, libraries


@pytest.fixture
def no_cache(monkeypatch) -> None:
    """A loader that knows no library."""
    monkeypatch.setattr(files, "system_libraries", dict)
    monkeypatch.setattr(libraries, "system_libraries", dict)
