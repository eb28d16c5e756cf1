"""What users type for a device."""

import pytest

from labcore.devices import DeviceRequest
from labcore.devices.request import read_duration
from labcore.devices.wording import in_words


@pytest.mark.parametrize(
    ("name", "kind", "index", "uuid"),
    [
        ("auto", "auto", None, ""),
        ("cpu", "cpu", None, ""),
        (" cuda ", "cuda", None, ""),
        ("cuda:3", "cuda", 3, ""),
        ("0", "cuda", 0, ""),
        ("GPU-1a2b", "cuda", None, "GPU-1a2b"),
        ("MIG-GPU-8f1/7/0", "cuda", None, "MIG-GPU-8f1/7/0"),
    ],
)
def test_a_device_is_a_word_a_number_or_a_uuid(name, kind, index, uuid):
    request = DeviceRequest.read(name)
    assert (request.kind, request.index, request.uuid) == (kind, index, uuid)
    assert request.names_one == (index is not None or bool(uuid))


@pytest.mark.parametrize(
    "wrong", ["gpu", "cuda:", "cuda:-1", "cuda:0,1", "", "CUDA", "mps", "GPU-"]
)
def test_a_wrong_device_gets_the_right_ones(wrong):
    with pytest.raises(ValueError, match="is not a device") as caught:
        DeviceRequest.read(wrong)
    for allowed in ("auto", "cpu", "cuda", "cuda:0"):
        assert f"device={allowed}" in str(caught.value)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"count": -1}, "device.count"),
        ({"min_memory_gb": -2.0}, "device.min_memory_gb"),
        ({"min_memory_gb": float("nan")}, "device.min_memory_gb"),
        ({"wait": "soon"}, "device.wait"),
        ({"name": "cuda:1", "count": 2}, "names one GPU"),
    ],
)
def test_a_wrong_option_is_named(options, named):
    with pytest.raises(ValueError, match=named):
        DeviceRequest.read(**options)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("90", 90),
        ("90s", 90),
        ("1.5m", 90),
        ("1h30m", 5400),
        ("2d", 172_800),
        ("1 H", 3600),
    ],
)
def test_times_have_units(text, seconds):
    assert read_duration(text, "device.wait") == seconds


@pytest.mark.parametrize("wrong", ["", "-3", "10x", "m", "1h 30q"])
def test_other_times_are_refused_with_examples(wrong):
    with pytest.raises(ValueError, match=r"90s, 10m, 1h30m or 2d"):
        read_duration(wrong, "device.wait")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-1, "0 s"),
        (8.4, "8 s"),
        (119, "119 s"),
        (720, "12 min"),
        (7200, "2 h"),
        (12_000, "3 h 20 min"),
    ],
)
def test_times_are_told_in_words(seconds, words):
    assert in_words(seconds) == words


def test_long_times_are_days():
    assert in_words(3 * 86_400 + 5) == "3 days"
