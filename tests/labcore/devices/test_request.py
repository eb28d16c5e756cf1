"""What users type for a device."""

import pytest

from labcore.devices import DeviceRequest


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
