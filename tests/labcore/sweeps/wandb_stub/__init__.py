"""A small W&B server for tests: sweeps, agents and runs over HTTP on the loopback address."""

from tests.labcore.sweeps.wandb_stub.server import API_KEY, ENTITY, Call, WandbStub
from tests.labcore.sweeps.wandb_stub.state import StubRun, StubSweep

__all__ = ["API_KEY", "ENTITY", "Call", "StubRun", "StubSweep", "WandbStub"]
