"""The hooks of one run, on pluggy: each is called by itself, and one that fails is dropped."""

import contextlib
import inspect
import logging
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pluggy

from labcore.errors import Interrupted, LabError, UsageError, nearest, suggestion
from labcore.hooks.specs import PROJECT, LoopSpecs, RunSpecs

if TYPE_CHECKING:
    from labcore.run.run import Run

__all__ = ["HookSet"]

_PLAIN = (type(None), bool, int, float, str, bytes)
log = logging.getLogger(__name__)


class HookSet:
    """Everything that watches a run.

    Hooks observe: what they return is ignored, and one that raises is reported once and dropped
    for the rest of the run, which goes on. Three things pass through: an interruption; a
    ``UsageError``, by which a hook says that its options ask for something that is not there; and
    any error of a hook whose class says ``essential = True``.

    A hook is any object with methods marked ``@hookimpl`` and named after the moments in
    :mod:`labcore.hooks.specs`; each takes those arguments of the moment that it wants. It may also
    have ``state_dict()`` and ``load_state_dict(state)``, which put its state in the checkpoint, and
    ``close()``, called when it is dropped. As everywhere in pluggy, the hook registered last is
    called first; ``@hookimpl(tryfirst=True)`` and ``trylast`` change that.
    """

    def __init__(self) -> None:
        self._manager = pluggy.PluginManager(PROJECT)
        self._manager.add_hookspecs(RunSpecs)
        self._manager.add_hookspecs(LoopSpecs)
        self._moments = tuple(vars(self._manager.hook))
        self._listeners: dict[str, tuple[pluggy.HookImpl, ...]] = {}
        self._dropped: dict[str, str] = {}
        self._run: Run[Any] | None = None
        self._list_listeners()

    def register(self, name: str, hook: object) -> None:
        """Adds a hook.

        Args:
            name: What messages, ``hooks.NAME`` options and checkpoints call it.
            hook: The object with the ``@hookimpl`` methods.

        Raises:
            UsageError: The hook listens to no moment, or to one that does not exist, or asks for an
                argument that the moment lacks; or the name is taken.
        """
        if self._manager.has_plugin(name):
            raise UsageError(f"two hooks are called {name!r}", fix="rename one of them")
        problems = list(self._misfits(hook))
        if problems:
            kind = hook if isinstance(hook, type) else type(hook)
            where = f"{kind.__module__}.{kind.__qualname__}"
            raise UsageError(
                f"the hook {name} ({where}) does not fit the moments of a run",
                problems=problems,
                fix="the moments and their arguments are in labcore/hooks/specs.py",
            )
        self._manager.register(hook, name)
        self._list_listeners()

    def names(self) -> tuple[str, ...]:
        """Returns the names of the hooks that listen, in the order they were registered."""
        return tuple(name for name, _ in self._manager.list_name_plugin())

    @property
    def dropped(self) -> Mapping[str, str]:
        """Hooks that failed, and what each said."""
        return self._dropped

    def get(self, name: str) -> Any:
        """Returns the hook called ``name``, or None."""
        return self._manager.get_plugin(name)

    def has(self, moment: str) -> bool:
        """Whether any hook listens to ``moment``; one dictionary lookup."""
        return bool(self._listeners[moment])

    def call(self, moment: str, **arguments: Any) -> None:
        """Tells every hook that listens that ``moment`` has come.

        Args:
            moment: A name from :mod:`labcore.hooks.specs`.
            arguments: All the arguments of that moment.

        Raises:
            Interrupted: The run was stopped while a hook worked.
            UsageError: The options of a hook ask for something that is not there.
            Exception: An essential hook failed.
        """
        run = arguments.get("run")
        if run is not None:
            self._run = run
        for implementation in self._listeners[moment]:
            try:
                implementation.function(*[arguments[name] for name in implementation.argnames])
            except (Interrupted, UsageError):
                raise
            except Exception as error:
                self._failed(implementation.plugin_name, implementation.plugin, moment, error)

    def state_dict(self) -> dict[str, Any]:
        """Returns the state of the hooks that have one, by name, for the checkpoint.

        Holds only tensors and plain Python values, so that it loads with ``weights_only=True``; a
        hook that offers anything else has failed.
        """
        state: dict[str, Any] = {}
        for name, hook in self._manager.list_name_plugin():
            if not _has_state(hook):
                continue
            with self._dropping(name, hook, "state_dict"):
                hook_state = hook.state_dict()  # type: ignore[attr-defined]  # looked for above
                _check_state(hook_state)
                state[name] = hook_state
        return state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Gives every hook its state back; the state of a hook that is not here is left out."""
        for name, hook_state in state.items():
            hook = self._manager.get_plugin(name)
            if hook is None or not _has_state(hook):
                text = f"the checkpoint has state of the hook {name}, which is off now"
                log.info(text)
                self._say(text, "info")
                continue
            with self._dropping(name, hook, "load_state_dict"):
                hook.load_state_dict(hook_state)

    def _misfits(self, hook: object) -> Iterator[str]:
        """Compares the ``@hookimpl`` methods of a hook with the moments, and yields what is wrong.

        pluggy would stop at the first mistake, and knows no nearest right name.
        """
        listens = False
        for name in dir(hook):
            options = self._manager.parse_hookimpl_opts(hook, name)
            if options is None and not (name in self._moments and callable(getattr(hook, name))):
                continue
            listens = True
            moment = (options and options["specname"]) or name
            if options is None:
                yield f"{name} is the name of a moment; mark it with @hookimpl"
            elif moment not in self._moments:
                hint = suggestion(nearest(moment, self._moments))
                yield f"there is no moment {moment!r}{hint and f'; {hint}'}"
            elif options["wrapper"] or options["hookwrapper"]:
                yield f"{moment} is a wrapper; hooks of a run only observe"
            else:
                offered = getattr(self._manager.hook, moment).spec.argnames
                for given in inspect.signature(getattr(hook, name)).parameters.values():
                    if given.default is given.empty and given.name not in offered:
                        names = ", ".join(offered)
                        yield f"{moment} has no argument {given.name!r}; it has {names}"
        if not listens:
            yield "it listens to no moment; mark its methods with @hookimpl"

    @contextlib.contextmanager
    def _dropping(self, name: str, hook: Any, moment: str) -> Iterator[None]:
        try:
            yield
        except (Interrupted, UsageError):
            raise
        except Exception as error:
            self._failed(name, hook, moment, error)

    def _failed(self, name: str, hook: Any, moment: str, error: Exception) -> None:
        """Drops a hook and tells the others, or raises when the run cannot do without it."""
        if getattr(hook, "essential", False):
            raise error
        if name in self._dropped:
            return  # it failed again inside its own failure
        reason = str(error) if isinstance(error, LabError) else f"{type(error).__name__}: {error}"
        self._dropped[name] = reason
        # A LabError is a message for people; anything else is a fault whose place matters.
        traceback = None if isinstance(error, LabError) else error
        log.warning("hook %s failed at %s: %s", name, moment, reason, exc_info=traceback)
        self._manager.unregister(hook, name)
        self._list_listeners()
        with contextlib.suppress(Exception):
            hook.close()
        text = f"the hook {name} failed at {moment} and is off for the rest of this run: {reason}"
        self._say(text, "warning")

    def _say(self, text: str, level: str) -> None:
        if self._run is not None:
            self.call("message", run=self._run, text=text, level=level)

    def _list_listeners(self) -> None:
        # pluggy keeps the implementations in reverse order of their calls.
        self._listeners = {
            moment: tuple(reversed(getattr(self._manager.hook, moment).get_hookimpls()))
            for moment in self._moments
        }


def _has_state(hook: object) -> bool:
    return hasattr(hook, "state_dict") and hasattr(hook, "load_state_dict")


def _check_state(state: object, path: str = "state") -> None:
    """Checks that a hook's state will load with ``weights_only=True``.

    Raises:
        TypeError: It holds something else; the message says where.
    """
    torch = sys.modules.get("torch")  # a value can only be a tensor if torch is here already
    if type(state) in _PLAIN or (torch is not None and isinstance(state, torch.Tensor)):
        return
    if isinstance(state, dict):
        for key, value in state.items():
            _check_state(key, f"key {key!r} of {path}")
            _check_state(value, f"{path}[{key!r}]")
    elif isinstance(state, list | tuple) and type(state) in (list, tuple):
        for index, value in enumerate(state):
            _check_state(value, f"{path}[{index}]")
    else:
        raise TypeError(
            f"{path} is a {type(state).__module__}.{type(state).__qualname__}; a checkpoint takes "
            "tensors, numbers, text, None, lists, tuples and dicts"
        )
