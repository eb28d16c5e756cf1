"""The docstring under a dataclass field, which is that option's help text.

Python throws such strings away, so they are read from the source of the class.
"""

import ast
import functools
import inspect
import itertools
import textwrap
from collections.abc import Mapping

__all__ = ["field_docs"]


@functools.cache
def field_docs(cls: type) -> Mapping[str, str]:
    """Returns field name to help text, on one line.

    A subclass inherits the texts of its bases and may replace them. Fields without a text are left
    out, and so are all fields of a class whose source cannot be read.
    """
    docs: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        docs.update(_own_docs(base))
    return docs


@functools.cache
def _own_docs(cls: type) -> Mapping[str, str]:
    if "__dataclass_fields__" not in vars(cls):
        return {}
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(cls)))
    except (OSError, TypeError, SyntaxError):  # made at run time, or only bytecode is here
        return {}
    body = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else []
    docs: dict[str, str] = {}
    for field, text in itertools.pairwise(body):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(text, ast.Expr)
            and isinstance(text.value, ast.Constant)
            and isinstance(text.value.value, str)
        ):
            docs[field.target.id] = " ".join(text.value.value.split())
    return docs
