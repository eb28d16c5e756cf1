"""The probes of compiled extensions notice a wrong answer; the packages are stand-ins here."""

import sys
import types

import pytest

from labcore.doctor.probes import extensions
from labcore.doctor.probes.outcome import WrongResult


class Tensor:
    """As much of a tensor as the probe of torchvision touches."""

    def __init__(self, values):
        self.values = values

    def to(self, device):
        return self

    def tolist(self):
        return self.values


@pytest.fixture
def install(monkeypatch):
    """Puts a torch, with or without a GPU, and a torchvision with an answer into place."""

    def put(kept, has_gpu=False):
        torch = types.ModuleType("torch")
        torch.tensor = lambda values, **options: Tensor(values)
        torch.float32 = "float32"
        torch.cuda = types.SimpleNamespace(is_available=lambda: has_gpu)
        torchvision = types.ModuleType("torchvision")
        torchvision.__version__ = "0.27.1"
        torchvision.ops = types.SimpleNamespace(nms=lambda boxes, scores, overlap: Tensor(kept))
        for module in (torch, torchvision):
            module.__spec__ = types.SimpleNamespace(name=module.__name__)
            monkeypatch.setitem(sys.modules, module.__name__, module)

    return put


def test_the_better_of_two_overlapping_boxes_and_the_lone_one_stay(install):
    install([1, 2], has_gpu=True)
    assert extensions.suppress_boxes() == {"torchvision": "0.27.1", "devices": ["cpu", "cuda"]}


def test_another_choice_of_boxes_is_wrong(install):
    install([0, 1, 2])
    with pytest.raises(WrongResult, match=r"on cpu kept \[0, 1, 2\], not \[1, 2\]"):
        extensions.suppress_boxes()
