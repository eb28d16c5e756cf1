"""The process that speaks with Ray, so that the controller need not.

Ray's driver prints from its own threads, takes over signals, and ends its process when the cluster
is out of reach for a minute; none of that may happen to the controller of a sweep. So the broker
takes calls from its pipe, ``(function of this module, arguments...)``, and answers each with
``(result, error)``, one of them empty.

Actors are detached and go by the name of their job, so they outlive the broker on a cluster that
does, and the next broker finds them. A cluster that the broker has started ends with it.
"""

import contextlib
import logging
import os
import signal
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from labcore.sweeps.companion import pipe_to_starter
from labcore.sweeps.launchers.notes import Order
from labcore.sweeps.launchers.supervise import TrialActor

__all__ = ["alive", "answer", "connect", "end", "main", "submit"]

_NAMESPACE = "lab"
"""Of all actors; their names are unlike each other by themselves."""
_STORE_BYTES = 80 * 2**20
"""The least that Ray takes; trials share files, not objects."""


def connect(address: str, num_cpus: int, num_gpus: int) -> list[tuple[int, int]]:
    """Connects to a cluster, or starts one of this machine when there is no address.

    Returns:
        CPUs and GPUs of its machines.
    """
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
        namespace=_NAMESPACE,
        configure_logging=False,
        log_to_driver=False,
    )
    sizes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    return [(int(size.get("CPU", 0)), int(size.get("GPU", 0))) for size in sizes]


def submit(order: Order, num_cpus: int, num_gpus: int) -> None:
    """Makes the actor of a trial."""
    import ray

    ray.remote(TrialActor).options(
        name=order.name,
        lifetime="detached",
        num_cpus=num_cpus,
        num_gpus=num_gpus,
        max_restarts=0,
    ).remote(order)


def alive() -> set[str]:
    """Returns the names of all actors, at work or waiting for room."""
    import ray

    return set(ray.util.list_named_actors())


def end(name: str, has_begun: bool, at_once: bool) -> None:
    """Asks a trial to write its checkpoint and end, or ends it at once.

    An actor that has not begun its trial is taken away, whether it has been started or not.
    """
    import ray

    try:
        actor = ray.get_actor(name)
    except ValueError:
        return  # it is gone
    if has_begun:
        actor.end.remote(at_once=at_once)
    else:
        ray.kill(actor)


def answer(do: Callable[..., Any], *arguments: Any) -> tuple[Any, str]:
    """Does what the controller asks for; a failure is an answer too."""
    try:
        return do(*arguments), ""
    except Exception as error:
        logging.getLogger(__name__).exception("%s failed", do.__name__)
        return None, f"{type(error).__name__}: {error}"


def main() -> NoReturn:
    """Serves the controller that started this process."""
    pipe = pipe_to_starter()
    logging.basicConfig(level=logging.WARNING)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(EOFError, OSError):  # the controller is gone, or done
        while True:
            pipe.send(answer(*pipe.recv()))
    if "ray" in sys.modules:
        sys.modules["ray"].shutdown()
    sys.stderr.flush()
    os._exit(0)
