"""What torch is told, and that it sees what was planned."""

from types import SimpleNamespace

import pytest

from labcore.devices import DevicePlan
from labcore.errors import RequirementError

pytestmark = pytest.mark.ml
PLANNED = ("GPU-aaaa", "GPU-bbbb")


@pytest.fixture
def torch():
    torch = pytest.importorskip("torch", reason="torch is not installed: pip install torch")
    before = torch.get_num_threads()
    yield torch
    torch.set_num_threads(before)


@pytest.fixture
def cuda(torch, monkeypatch):
    """Makes torch see GPUs with the given UUIDs."""

    def seen(*uuids: str) -> None:
        monkeypatch.setattr(torch.version, "cuda", "13.0")
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(torch.cuda, "init", lambda: None)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: len(uuids))
        monkeypatch.setattr(
            torch.cuda, "get_device_properties", lambda n: SimpleNamespace(uuid=uuids[n])
        )

    return seen


def planned(torch, *uuids: str) -> DevicePlan:
    return DevicePlan(kind="cuda", name="H100", uuids=uuids, threads=torch.get_num_threads())


def test_torch_gets_the_planned_threads(torch):
    from labcore.devices.torch_setup import configure_torch

    assert configure_torch(DevicePlan(kind="cpu", threads=1)) == torch.device("cpu")
    assert torch.get_num_threads() == 1


def test_threads_that_torch_does_not_take_are_told(torch, monkeypatch):
    from labcore.devices.torch_setup import configure_torch

    monkeypatch.setattr(torch, "set_num_threads", lambda number: None)
    wanted = torch.get_num_threads() + 1
    with pytest.raises(RequirementError, match=f"not the {wanted} that were set"):
        configure_torch(DevicePlan(kind="cpu", threads=wanted))


def test_a_gpu_that_torch_cannot_use_is_told_with_the_cause(torch, monkeypatch):
    from labcore.devices.torch_setup import configure_torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(RequirementError, match="GPU H100 cannot be used"):
        configure_torch(planned(torch, "GPU-aaaa"))
    monkeypatch.setattr(torch.version, "cuda", None)
    with pytest.raises(RequirementError, match="built without CUDA") as caught:
        configure_torch(planned(torch, "GPU-aaaa"))
    assert "install a CUDA build" in caught.value.fix


def test_a_driver_that_only_its_management_library_vouches_for_is_told(torch, cuda, monkeypatch):
    from labcore.devices.torch_setup import configure_torch

    def fail() -> None:
        raise RuntimeError("Found no NVIDIA driver on your system.\nSee the web page")

    cuda(*PLANNED)
    monkeypatch.setattr(torch.cuda, "init", fail)
    with pytest.raises(RequirementError, match="cannot start CUDA: Found no NVIDIA driver") as told:
        configure_torch(planned(torch, *PLANNED))
    assert "web page" not in str(told.value)


def test_the_planned_gpus_are_accepted(torch, cuda):
    from labcore.devices.torch_setup import configure_torch

    cuda("aaaa", "bbbb")
    assert configure_torch(planned(torch, *PLANNED)) == torch.device("cuda:0")


def test_more_gpus_than_planned_are_refused(torch, cuda):
    from labcore.devices.torch_setup import configure_torch

    cuda("aaaa", "bbbb", "cccc")
    with pytest.raises(RequirementError, match="torch sees 3 GPUs, and the run has 2"):
        configure_torch(planned(torch, *PLANNED))


def test_other_gpus_than_planned_are_refused(torch, cuda):
    from labcore.devices.torch_setup import configure_torch

    cuda("aaaa", "cccc")
    with pytest.raises(
        RequirementError, match="cuda:1 is GPU-cccc, and the run has leased GPU-bbbb"
    ):
        configure_torch(planned(torch, *PLANNED))


def test_a_slice_has_another_name_in_cuda_and_is_accepted(torch, cuda):
    from labcore.devices.torch_setup import configure_torch

    cuda("whatever")
    assert configure_torch(planned(torch, "MIG-1")) == torch.device("cuda:0")
