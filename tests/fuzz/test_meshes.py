"""A short run of the fuzzer of meshes; the long one is by hand."""

import pytest

from tests.fuzz.harness import fuzz

pytestmark = pytest.mark.ml


def test_damaged_meshes_are_read_or_refused_within_limits():
    from tests.fuzz import meshes  # imports torch, which a machine for the core alone lacks

    outcome = fuzz(meshes.NAME, 100, meshes.make, meshes.run)

    assert not outcome.escaped, str(outcome)
