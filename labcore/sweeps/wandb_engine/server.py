"""W&B's server as an agent sees it: sweeps, agents, and runs that never came to speak.

These are the calls that ``wandb agent`` makes. They are made here without it because it can only
start commands or functions of its own process, one at a time, with no say in how they are stopped;
because it waits five seconds and more between two trials; and because the names inside the wandb
package change with its versions, while the server answers the clients of years.
"""

import json
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from os import environ
from typing import Any, Literal, get_args
from urllib.parse import quote

from labcore.errors import RequirementError
from labcore.hooks.wandb.account import api_key, base_url, has_credentials
from labcore.sweeps.wandb_engine.address import SweepAddress
from labcore.sweeps.wandb_engine.connection import Connection

__all__ = ["Command", "WandbServer", "is_logged_in"]

_VIEWER = "query Viewer { viewer { entity } }"
_CREATE_AGENT = """
mutation CreateAgent($host: String!, $projectName: String, $entityName: String, $sweep: String!) {
  createAgent(input: {
    host: $host, projectName: $projectName, entityName: $entityName, sweep: $sweep
  }) { agent { id } }
}
"""
_HEARTBEAT = """
mutation Heartbeat($id: ID!, $metrics: JSONString, $runState: JSONString) {
  agentHeartbeat(input: {id: $id, metrics: $metrics, runState: $runState}) {
    agent { id }
    commands
  }
}
"""
_UPSERT_RUN = """
mutation UpsertBucket(
  $name: String, $project: String, $entity: String, $config: JSONString, $sweep: String
) {
  upsertBucket(input: {
    name: $name, modelName: $project, entityName: $entity, config: $config, sweep: $sweep
  }) { bucket { id } }
}
"""

Kind = Literal["run", "resume", "stop", "exit"]
_KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """What the server wants an agent to do."""

    kind: Kind
    run_id: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    """The values that the sweep chose for the trial, as the server nests them."""


def is_logged_in() -> bool:
    """Whether sweeps can be W&B's: wandb is installed, not switched off, and has an API key."""
    is_off = environ.get("WANDB_MODE", "online") in {"offline", "disabled", "dryrun"}
    return not is_off and has_credentials() and find_spec("wandb") is not None


class WandbServer:
    """The server that the user is logged in to.

    Every method raises :class:`Unreachable` when there is no answer for now.

    Args:
        timeout_s: Seconds of silence after which the server counts as unreachable.

    Raises:
        RequirementError: Nobody is logged in.
    """

    def __init__(self, *, timeout_s: float = 30.0) -> None:
        key = api_key()
        if key is None:
            raise RequirementError(
                f"there is no API key for {base_url()}", fix="wandb login, or --engine local"
            )
        self._connection = Connection(base_url(), key, timeout_s=timeout_s)

    def default_entity(self) -> str:
        """Returns the user or team that runs go to when nobody says."""
        viewer = self._connection.graphql(_VIEWER, {}).get("viewer") or {}
        return str(viewer.get("entity") or "")

    def create_agent(self, address: SweepAddress) -> str:
        """Announces an agent and returns its id.

        Raises:
            NotThere: There is no such sweep.
        """
        variables = {
            "host": socket.gethostname(),
            "projectName": address.project,
            "entityName": address.entity,
            "sweep": address.id,
        }
        data = self._connection.graphql(_CREATE_AGENT, variables)
        return str(data["createAgent"]["agent"]["id"])

    def heartbeat(self, agent: str, running: Iterable[str]) -> list[Command]:
        """Says which runs the agent has and returns what it is to do.

        Raises:
            NotThere: The sweep has been deleted.
        """
        states = json.dumps(dict.fromkeys(running, True))
        variables = {"id": agent, "metrics": "{}", "runState": states}
        data = self._connection.graphql(_HEARTBEAT, variables)
        rows = json.loads(data["agentHeartbeat"]["commands"] or "[]")
        return [_command(row) for row in rows if row.get("type") in _KINDS]

    def report_end(
        self,
        address: SweepAddress,
        run_id: str,
        values: Mapping[str, Any],
        *,
        exit_code: int,
        is_unfinished: bool = False,
    ) -> None:
        """Says how a run ended that could not say so itself.

        Args:
            address: The run's sweep.
            run_id: The run.
            values: What the sweep chose for it.
            exit_code: Of the run's process; anything but 0 is a failure.
            is_unfinished: Whether another agent should go on with it.
        """
        config = {name: {"value": value} for name, value in values.items()}
        variables = {
            "name": run_id,
            "project": address.project,
            "entity": address.entity,
            "config": json.dumps(config),
            "sweep": address.id,
        }
        self._connection.graphql(_UPSERT_RUN, variables)
        place = "/".join(quote(part, safe="") for part in (address.entity, address.project, run_id))
        path = f"/files/{place}/file_stream"
        if is_unfinished:
            self._connection.post(path, {"preempting": True})
        self._connection.post(path, {"complete": True, "exitcode": exit_code})


def _command(row: Mapping[str, Any]) -> Command:
    args = row.get("args") or {}
    values = {
        name: arg["value"] if isinstance(arg, Mapping) and "value" in arg else arg
        for name, arg in args.items()
    }
    return Command(kind=row["type"], run_id=row.get("run_id") or "", values=values)
