"""The GraphQL operations that W&B's client uses for sweeps and runs, each as one function."""

import json
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.labcore.sweeps.wandb_stub.server import WandbStub

__all__ = ["NotFound", "answer", "operation_of"]

_OPERATION = re.compile(r"\s*(?:query|mutation)\s+(\w+)")
_Variables = Mapping[str, Any]


class NotFound(Exception):
    """The object is not there; W&B answers with status 404."""


def operation_of(query: str) -> str:
    """Returns the name of the query's operation."""
    match = _OPERATION.match(query)
    return match.group(1) if match else ""


def answer(stub: "WandbStub", query: str, variables: _Variables) -> dict[str, Any] | None:
    """Returns the operation's data, or None for one that the stub does not know."""
    handler = _HANDLERS.get(operation_of(query))
    if handler is None:
        return None
    with stub.state.lock:
        return handler(stub, variables)


def _viewer(stub: "WandbStub", variables: _Variables) -> dict[str, Any]:
    who = {"id": "VXNlcjox", "entity": stub.entity, "username": stub.entity, "email": ""}
    return {"viewer": {**who, "flags": "{}", "teams": {"edges": []}}}


def _features(stub: "WandbStub", variables: _Variables) -> dict[str, Any]:
    return {"serverInfo": {"features": []}}


def _project(stub: "WandbStub", name: str) -> dict[str, Any]:
    return {"id": "UDox", "name": name, "entity": {"id": "RTox", "name": stub.entity}}


def _upsert_sweep(stub: "WandbStub", variables: _Variables) -> dict[str, Any]:
    if variables.get("id"):
        sweep = stub.state.sweeps[variables["id"]]
        sweep.state = variables.get("state") or sweep.state
    else:
        project = variables.get("projectName") or "uncategorized"
        sweep = stub.state.create_sweep(project, variables["config"])
    told = {"name": sweep.name, "project": _project(stub, sweep.project)}
    return {"upsertSweep": {"sweep": told, "configValidationWarnings": []}}


def _sweep(stub: "WandbStub", variables: _Variables) -> dict[str, Any]:
    sweep = stub.state.sweeps.get(variables["sweep"])
    if sweep is None:
        return {"project": {"sweep": None}}
    nodes = [
        {
            "name": run.name,
            "state": run.state,
            "config": json.dumps({k: {"value": v} for k, v in run.config.items()}),
            "exitcode": run.exit_code,
            "shouldStop": run.should_stop,
            "summaryMetrics": "{}",
            "sampledHistory": [run.history],
        }
        for run in sweep.runs.values()
    ]
    told = {
        "id": sweep.name,
        "name": sweep.name,
        "state": sweep.state,
        "config": json.dumps(sweep.config),  # JSON is YAML
        "runs": {"edges": [{"node": node} for node in nodes]},
    }
    return {"project": {"sweep": told}}


def _create_agent(stub: "WandbStub", variables: _Variables) -> dict[str, Any]:
    agent = stub.state.create_agent(variables["sweep"])
    if agent is None:
        raise NotFound("sweep not found")
    return {"createAgent": {"agent": {"id": agent}}}


def _heartbeat(stub: "WandbStub", variables: _Variables) -> dict[str, Any]:
    commands = stub.state.heartbeat(variables["id"], json.loads(variables["runState"]))
    if commands is None:
        raise NotFound("agent not found")
    agent = {"id": variables["id"]}
    return {"agentHeartbeat": {"agent": agent, "commands": json.dumps(commands)}}


def _resume_status(stub: "WandbStub", variables: _Variables) -> dict[str, Any]:
    run = stub.state.runs.get(variables["name"])
    project = _project(stub, variables["project"])
    if run is None or not run.started:
        return {"model": {**project, "bucket": None}}
    bucket = {
        "id": run.name,
        "name": run.name,
        "summaryMetrics": "{}",
        "displayName": run.display_name,
        "logLineCount": 0,
        "historyLineCount": len(run.history),
        "eventsLineCount": 0,
        "historyTail": json.dumps([json.dumps(row) for row in run.history[-1:]]),
        "eventsTail": "[]",
        "config": json.dumps({key: {"value": value} for key, value in run.config.items()}),
        "tags": run.tags,
        "notes": None,
        "wandbConfig": json.dumps({"t": {}}),
    }
    return {"model": {**project, "bucket": bucket}}


def _upsert_bucket(stub: "WandbStub", variables: _Variables) -> dict[str, Any]:
    run, is_new = stub.state.upsert_run(variables)
    bucket = {
        "id": f"id-{run.name}",
        "name": run.name,
        "displayName": run.display_name or run.name,
        "description": None,
        "config": json.dumps({key: {"value": value} for key, value in run.config.items()}),
        "sweepName": run.sweep,
        "project": _project(stub, run.project or "uncategorized"),
        "historyLineCount": len(run.history),
    }
    return {"upsertBucket": {"bucket": bucket, "inserted": is_new}}


def _create_files(stub: "WandbStub", variables: _Variables) -> dict[str, Any]:
    files = [
        {"name": name, "uploadUrl": f"{stub.url}/storage/{variables['run']}/{name}"}
        for name in variables["files"]
    ]
    return {"createRunFiles": {"runID": variables["run"], "uploadHeaders": [], "files": files}}


_HANDLERS: Mapping[str, Callable[["WandbStub", _Variables], dict[str, Any]]] = {
    "Viewer": _viewer,
    "GetDefaultEntity": _viewer,
    "ServerFeaturesQuery": _features,
    "UpsertSweep": _upsert_sweep,
    "SweepWithRuns": _sweep,
    "GetSweepState": _sweep,
    "CreateAgent": _create_agent,
    "Heartbeat": _heartbeat,
    "RunResumeStatus": _resume_status,
    "UpsertBucket": _upsert_bucket,
    "CreateRunFiles": _create_files,
}
