"""Declared datasets: where they live, fetching, preparing, checking."""

from labcore.data.folder import data_folder, dataset_folder
from labcore.data.prepare import ensure
from labcore.data.state import DatasetState, state, verify

__all__ = ["DatasetState", "data_folder", "dataset_folder", "ensure", "state", "verify"]
