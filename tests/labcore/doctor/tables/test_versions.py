"""Versions as people and programs write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labcore.doctor.tables import cuda_of_tag, family, fits, parse_version, series, span


@pytest.mark.parametrize(
    ("text", "release"),
    [
        ("2.0.1+cu117", (2, 0, 1)),
        ("v0.7.4", (0, 7, 4)),
        ("535.183.01", (535, 183, 1)),
        ("455.45", (455, 45)),
        ("0.7.9.post1", (0, 7, 9)),
        (" 2.12.1 ", (2, 12, 1)),
        ("2.1.0a0+git123", (2, 1, 0)),
        ("cu117", (11, 7)),
    ],
)
def test_the_number_is_read_whatever_follows_it(text, release):
    assert parse_version(text).release == release


@pytest.mark.parametrize("text", ["", "newest", "cuda", "-", "RTX 3080"])
def test_text_without_a_number_is_no_version(text):
    with pytest.raises(ValueError, match="no version"):
        parse_version(text)


@pytest.mark.parametrize(
    ("text", "cuda"),
    [
        ("cu117", "11.7"),
        ("117", "11.7"),
        ("11.7", "11.7"),
        ("CUDA 11.7", "11.7"),
        ("cuda-12.4", "12.4"),
        ("cu92", "9.2"),
        ("cu130", "13.0"),
        ("12.1.105", "12.1.105"),
        ("2.0.1+cu118", "11.8"),
        ("12", "12.0"),
    ],
)
def test_every_way_to_write_a_cuda_version_means_it(text, cuda):
    assert cuda_of_tag(text) == cuda


@pytest.mark.parametrize("text", ["cpu", "", "rocm6.0", "eleven"])
def test_what_names_no_cuda_version_is_refused(text):
    with pytest.raises(ValueError, match="names no CUDA version"):
        cuda_of_tag(text)


@given(st.integers(9, 20), st.integers(0, 9))
def test_a_wheel_tag_and_its_version_mean_the_same(major, minor):
    assert cuda_of_tag(f"cu{major}{minor}") == cuda_of_tag(f"{major}.{minor}") == f"{major}.{minor}"


def test_family_and_series_are_the_first_one_and_two_numbers():
    assert family("12.4") == 12
    assert family("cu117") == 11
    assert series("2.0.1+cu117") == "2.0"


def test_a_version_is_compared_with_a_range_by_numbers_not_letters():
    assert fits("3.10", ">=3.8,<3.11")
    assert not fits("3.11.2", ">=3.8,<3.11")
    assert fits("2.10.0", ">=2.9")


@pytest.mark.parametrize(
    ("specifier", "text"),
    [
        (">=3.8,<3.12", "3.8 to 3.11"),
        (">=1.10,<=2.0.1", "1.10 to 2.0.1"),
        (">=3.11", "3.11 and newer"),
        ("<2.14", "2.13 and older"),
        (">=2.20,<2.21", "2.20"),
        (">=1.13,<2.0", "1.13 and newer, before 2.0"),
        ("<12.0", "before 12.0"),
    ],
)
def test_a_range_is_said_in_words(specifier, text):
    assert span(specifier) == text
