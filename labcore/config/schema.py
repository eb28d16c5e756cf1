"""The type of a composed config, and the object of that type which a task sees."""

import dataclasses
import functools
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import is_dataclass
from typing import TYPE_CHECKING, Any

from labcore.config.root import RootConfig
from labcore.config.variants import made_by, recipe_of
from labcore.errors import LabError

if TYPE_CHECKING:
    from omegaconf import DictConfig

__all__ = ["build_schema", "post_inits", "to_typed"]


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
    return _restore, (recipe_of(type(self).__bases__[0]), values)


def _restore(recipe: tuple[Any, ...], values: Mapping[str, Any]) -> Any:
    return build_schema(made_by(recipe))(**values)


def to_typed(cfg: "DictConfig") -> tuple[Any, list[str]]:
    """Builds the dataclass instances of a config and runs their checks.

    ``OmegaConf.to_object`` stops at the first ``__post_init__`` that raises; here they all run.

    Args:
        cfg: A config whose root is a structured one.

    Returns:
        The object (to be used only when there is no problem), and what is wrong.
    """
    problems: list[str] = []
    return _build(cfg, "", problems), problems


def _build(node: "DictConfig", path: str, problems: list[str]) -> Any:
    from omegaconf import DictConfig, OmegaConf
    from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

    cls: Any = OmegaConf.get_type(node)
    # The checks are run one by one below, so the instance is made without its __init__.
    instance = cls.__new__(cls)
    found_before = len(problems)
    for key in node:
        name = str(key)
        inner = f"{path}.{name}" if path else name
        try:
            value = node[key]
            if not _keeps_its_parts(node._get_node(key), value):
                problems.append(f"{inner} has parts of its own: it cannot refer to {value!r}")
                continue
            if isinstance(value, DictConfig) and is_dataclass(OmegaConf.get_type(value)):
                value = _build(value, inner, problems)
            elif OmegaConf.is_config(value):
                value = OmegaConf.to_object(value)
        except MissingMandatoryValue:
            problems.append(f"{inner} must be given: add {inner}=VALUE")
            continue
        except (OmegaConfBaseException, ValueError, OverflowError) as error:
            problems.append(_at(inner, str(error)))
            continue
        setattr(instance, name, value)
    for check in post_inits(cls):
        sure = len(problems) == found_before
        problems.extend(_refusals(check, instance, path, sure=sure))
    return instance


def _keeps_its_parts(node: Any, value: Any) -> bool:
    """Whether a section, list or mapping that refers to another value refers to one of its kind."""
    from omegaconf import OmegaConf

    if value is None or not OmegaConf.is_config(node) or not node._is_interpolation():
        return True
    section = node._metadata.ref_type
    is_section = isinstance(section, type) and is_dataclass(section)
    return type(value) is type(node) and (
        not is_section or issubclass(OmegaConf.get_type(value) or object, section)
    )


def _refusals(
    check: Callable[[Any], None], instance: Any, path: str, *, sure: bool
) -> Iterator[str]:
    """Runs a check; unless it is sure that what it reads is there and right, it may trip."""
    try:
        check(instance)
    except ValueError as error:
        yield _at(path, str(error))
    except Exception:
        if sure:
            raise


def _at(path: str, message: str) -> str:
    """Says where a problem is, unless the message does."""
    message = message.splitlines()[0] if message else "is refused"
    return message if not path or path in message else f"{path}: {message}"
