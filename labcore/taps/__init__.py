"""Module taps: look at what goes through a layer, named by its dotted path."""

from labcore.taps.capture import Seen, SeenLayers, tap
from labcore.taps.paths import resolve_paths
from labcore.taps.recorder import Observations, Recorder

__all__ = ["Observations", "Recorder", "Seen", "SeenLayers", "resolve_paths", "tap"]
