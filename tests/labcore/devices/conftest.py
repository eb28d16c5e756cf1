"""A driver with the GPUs that a test asks for, in place of NVIDIA's library."""

import sys
import types
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

MIB = 1 << 20


@dataclass
class FakeCard:
    uuid: str
    name: str = "Fake GPU"
    total_mib: int = 16_384
    used_mib: int = 0
    capability: tuple[int, int] = (8, 6)
    slices: list["FakeCard"] | None = None
    broken: bool = False


@dataclass
class FakeDriver:
    """Counts openings so that a test sees that each is closed."""

    cards: list[FakeCard] = field(default_factory=list)
    error: bool = False
    opened: int = 0

    def module(self) -> types.ModuleType:
        made = types.ModuleType("pynvml")

        class NVMLError(Exception):
            pass

        def init() -> None:
            if self.error:
                raise NVMLError("Driver Not Loaded")
            self.opened += 1

        def shutdown() -> None:
            self.opened -= 1

        def handle(index: int) -> FakeCard:
            if self.cards[index].broken:
                raise NVMLError("GPU is lost")
            return self.cards[index]

        def mig_mode(card: FakeCard) -> tuple[int, int]:
            if card.slices is None:
                raise NVMLError("Not Supported")
            return (1, 1)

        def mig_handle(card: FakeCard, index: int) -> FakeCard:
            if index >= len(card.slices or []):
                raise NVMLError("Not Found")
            return (card.slices or [])[index]

        made.__dict__.update(
            NVMLError=NVMLError,
            nvmlInit=init,
            nvmlShutdown=shutdown,
            nvmlSystemGetDriverVersion=lambda: b"580.1",
            nvmlDeviceGetCount=lambda: len(self.cards),
            nvmlDeviceGetHandleByIndex=handle,
            nvmlDeviceGetUUID=lambda card: card.uuid,
            nvmlDeviceGetName=lambda card: card.name,
            nvmlDeviceGetMemoryInfo=lambda card: types.SimpleNamespace(
                total=card.total_mib * MIB, used=card.used_mib * MIB
            ),
            nvmlDeviceGetCudaComputeCapability=lambda card: card.capability,
            nvmlDeviceGetMigMode=mig_mode,
            nvmlDeviceGetMaxMigDeviceCount=lambda card: 7,
            nvmlDeviceGetMigDeviceHandleByIndex=mig_handle,
        )
        return made


@pytest.fixture
def card() -> type[FakeCard]:
    return FakeCard


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> Callable[..., FakeDriver]:
    """Installs a driver with the given cards, and an environment that hides none."""

    def install(*cards: FakeCard, error: bool = False) -> FakeDriver:
        fake = FakeDriver(cards=list(cards), error=error)
        monkeypatch.setitem(sys.modules, "pynvml", fake.module())
        return fake

    for name in ("CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS", "OMP_WAIT_POLICY", "LOCAL_WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    return install
