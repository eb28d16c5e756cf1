"""What a run leaves on disk and how it is read back: its folder, status, artifacts."""

from labcore.record.artifacts import Artifact
from labcore.record.status import Status, read_status
from labcore.record.store import StoredRun, find_run, list_runs

__all__ = ["Artifact", "Status", "StoredRun", "find_run", "list_runs", "read_status"]
