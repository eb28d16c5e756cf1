"""One dataclass with the core's options and the plugin's: the type of a composed config."""

import dataclasses
import functools
import typing
from collections.abc import Callable, Mapping
from typing import Any

from labcore.config.root import RootConfig
from labcore.errors import LabError

__all__ = ["build_schema", "post_inits"]


@functools.cache
def build_schema(plugin_config: type) -> type:
    """Builds the schema of a plugin: a subclass of its config that also has the core's fields.

    Being a subclass, it keeps the methods and properties that the plugin defined.

    Args:
        plugin_config: The dataclass that the plugin declares.

    Raises:
        LabError: An option of the plugin has the name of a core option.
    """
    core = {field.name: field for field in dataclasses.fields(RootConfig)}
    own = [field.name for field in dataclasses.fields(plugin_config)]
    clashes = [name for name in own if name in core]
    if clashes:
        raise LabError(
            f"{plugin_config.__qualname__} has options that every run has already: "
            f"{', '.join(clashes)}",
            fix=f"rename them in {plugin_config.__module__}",
        )
    hints = typing.get_type_hints(RootConfig)
    schema = dataclasses.make_dataclass(
        f"{plugin_config.__name__}Schema",
        [(name, hints[name], _copy(field)) for name, field in core.items()],
        bases=(plugin_config,),
        namespace={"__post_init__": _run_post_inits, "__reduce__": _reduce},
        kw_only=True,
        slots=True,
    )
    # A saved config opens with what was run; dataclasses would put the base's fields first.
    fields: dict[str, Any] = vars(schema)["__dataclass_fields__"]
    ordered = {name: fields[name] for name in (*core, *own)}
    fields.clear()
    fields.update(ordered)
    schema.__module__ = __name__
    return schema


def post_inits(cls: type) -> list[Callable[[Any], None]]:
    """Returns the checks to run on an instance of ``cls``: two for a schema, at most one else."""
    if vars(cls).get("__post_init__") is _run_post_inits:
        return [*post_inits(RootConfig), *post_inits(cls.__bases__[0])]
    check = getattr(cls, "__post_init__", None)
    return [] if check is None else [check]


def _run_post_inits(self: Any) -> None:
    for check in post_inits(type(self)):
        check(self)


def _copy(field: "dataclasses.Field[Any]") -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return dataclasses.field(default_factory=field.default_factory)
    return dataclasses.field(default=field.default)


def _reduce(self: Any) -> tuple[Any, ...]:
    """Lets workers in other processes receive the config, though its class has no module."""
    values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
    return _restore, (type(self).__bases__[0], values)


def _restore(plugin_config: type, values: Mapping[str, Any]) -> Any:
    return build_schema(plugin_config)(**values)
