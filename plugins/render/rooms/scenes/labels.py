"""What can be seen in a scene: the classes of the semantic labels."""

__all__ = ["LABELS", "label_index"]

LABELS = (
    "sky",
    "floor",
    "wall",
    "ceiling",
    "door",
    "window",
    "table",
    "chair",
    "sofa",
    "bed",
    "cabinet",
    "shelf",
    "book",
    "lamp",
    "rug",
    "picture",
    "plant",
    "object",
    "ball",
    "road",
    "pavement",
    "grass",
    "building",
    "car",
    "pole",
    "tree",
    "person",
    "sign",
    "bench",
    "fence",
    "drone",
)
"""Names by index. ``sky`` (0) is where a ray meets nothing: it has no geometry and no depth."""

_INDEX = {name: index for index, name in enumerate(LABELS)}


def label_index(name: str) -> int:
    """Returns the index of a label in :data:`LABELS`."""
    return _INDEX[name]
