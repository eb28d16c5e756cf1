"""What the tests of gathering share."""

import pytest

from labcore.doctor.gather import libraries, loader


@pytest.fixture
def no_cache(monkeypatch) -> None:
    """A loader that knows no library."""
    monkeypatch.setattr(loader, "system_libraries", dict)
    monkeypatch.setattr(libraries, "system_libraries", dict)
