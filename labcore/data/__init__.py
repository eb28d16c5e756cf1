"""Declared datasets: where they live, fetching, preparing, checking."""

from labcore.data.folder import chosen_folder, data_folder, dataset_folder, default_folder
from labcore.data.prepare import ensure
from labcore.data.skipped import Skipped, SkippedFiles
from labcore.data.state import DatasetState, state, verify

__all__ = [
    "DatasetState",
    "Skipped",
    "SkippedFiles",
    "chosen_folder",
    "data_folder",
    "dataset_folder",
    "default_folder",
    "ensure",
    "state",
    "verify",
]
