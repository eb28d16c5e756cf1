"""The process that speaks with Ray, so that the controller need not.

Ray's driver prints from its own threads, takes over signals, and ends its process when the cluster
is out of reach for a minute; none of that may happen to the controller of a sweep. The broker reads
one JSON object a line from its standard input and answers each with one on its standard output::

    -> {"do": "connect", "address": "", "num_cpus": 4, "num_gpus": 0}     once, first
    <- {"nodes": [{"host": "a", "cpus": 4, "gpus": 0}]}    or {"error": "..."}
    -> {"do": "submit", "order": {...}, "num_cpus": 1, "num_gpus": 0}
    <- {}
    -> {"do": "alive", "names": ["s-0000-1f", ...]}
    <- {"alive": ["s-0000-1f"]}
    -> {"do": "stop", "name": "s-0000-1f"}    or "kill", or "withdraw"
    <- {}

Actors are detached and go by the name of their job, so they outlive the broker on a cluster that
does, and the next broker finds them. A cluster that the broker has started ends with it.
"""

import json
import logging
import os
import signal
import sys
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from labcore.sweeps.launchers.ray_actor import TrialActor

__all__ = ["NAMESPACE", "Broker", "main"]

NAMESPACE = "lab"
"""Of all actors; their names are unlike each other by themselves."""
_STORE_BYTES = 80 * 2**20
"""The least that Ray takes; trials share files, not objects."""


class Broker:
    """Does what the controller asks for."""

    def answer(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Does one thing; a failure is an answer too."""
        ways: dict[str, Callable[..., dict[str, Any]]] = {
            "connect": self.connect,
            "submit": self.submit,
            "alive": self.alive,
            "stop": self.stop,
            "kill": self.kill,
            "withdraw": self.withdraw,
        }
        wanted = {name: value for name, value in row.items() if name != "do"}
        try:
            return ways[row["do"]](**wanted)
        except Exception as error:
            logging.getLogger(__name__).exception("%s failed", row["do"])
            return {"error": f"{type(error).__name__}: {error}"}

    def connect(self, address: str, num_cpus: int, num_gpus: int) -> dict[str, Any]:
        """Connects to a cluster, or starts one of this machine when there is no address."""
        import ray

        logging.getLogger("ray").setLevel(logging.ERROR)
        own: dict[str, Any] = {
            "address": "local",
            "num_cpus": num_cpus,
            "num_gpus": num_gpus,
            "include_dashboard": False,
            "object_store_memory": _STORE_BYTES,
        }
        ray.init(
            **({"address": address} if address else own),
            namespace=NAMESPACE,
            configure_logging=False,
            log_to_driver=False,
        )
        nodes = [
            {
                "host": node["NodeManagerHostname"],
                "cpus": int(node["Resources"].get("CPU", 0)),
                "gpus": int(node["Resources"].get("GPU", 0)),
            }
            for node in ray.nodes()
            if node["Alive"]
        ]
        return {"nodes": nodes}

    def submit(self, order: dict[str, Any], num_cpus: int, num_gpus: int) -> dict[str, Any]:
        """Makes the actor of a trial."""
        import ray

        ray.remote(TrialActor).options(
            name=order["name"],
            lifetime="detached",
            num_cpus=num_cpus,
            num_gpus=num_gpus,
            max_restarts=0,
        ).remote(order)
        return {}

    def alive(self, names: list[str]) -> dict[str, Any]:
        """Says which actors there are, at work or waiting for room."""
        return {"alive": [name for name in names if self._find(name) is not None]}

    def stop(self, name: str) -> dict[str, Any]:
        """Asks a trial to write its checkpoint and end."""
        actor = self._find(name)
        if actor is not None:
            actor.stop.remote()
        return {}

    def kill(self, name: str) -> dict[str, Any]:
        """Ends a trial at once."""
        actor = self._find(name)
        if actor is not None:
            actor.kill.remote()
        return {}

    def withdraw(self, name: str) -> dict[str, Any]:
        """Takes an actor away, whether it has been started or not."""
        import ray

        actor = self._find(name)
        if actor is not None:
            ray.kill(actor)
        return {}

    def _find(self, name: str) -> Any:
        import ray

        try:
            return ray.get_actor(name)
        except ValueError:
            return None


def main() -> NoReturn:
    """Serves the controller that started this process."""
    # Whatever Ray prints must not get between the answers.
    out = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)
    logging.basicConfig(level=logging.WARNING)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    broker = Broker()
    for line in sys.stdin:
        print(json.dumps(broker.answer(json.loads(line))), file=out)
    _end()


def _end() -> NoReturn:
    if "ray" in sys.modules:
        sys.modules["ray"].shutdown()
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
