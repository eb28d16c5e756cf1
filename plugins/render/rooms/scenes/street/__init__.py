"""Streets: ground, houses, cars, what stands along the kerb, and where."""

from plugins.render.rooms.scenes.street.street import build_street

__all__ = ["build_street"]
