"""A drone, indoors and outdoors alike."""

from plugins.render.rooms.scenes.materials import Materials
from plugins.render.rooms.scenes.solids import box, prism
from plugins.render.rooms.scenes.stage import Thing

__all__ = ["drone"]


def drone(materials: Materials, frame: str, body: str) -> Thing:
    """Returns a drone with four rotors about its own middle.

    Args:
        materials: Of the scene.
        frame: Role of the material of arms and rotors.
        body: Role of the body's.
    """
    thing = Thing("drone", "drone")
    arms = [box((0.34, 0.02, 0.03), at=(0, -0.01, z)) for z in (-0.12, 0.12)]
    rotors = [
        prism(0.085, 0.012, 8, at=(x, 0.025, z)) for x in (-0.17, 0.17) for z in (-0.12, 0.12)
    ]
    thing.add(materials(frame), *arms, *rotors)
    return thing.add(materials(body), box((0.14, 0.07, 0.2), at=(0, -0.045, 0)))
