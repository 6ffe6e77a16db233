"""The sentence under each configuration field, for the command line's --help and the pages' tooltips."""

import ast
import inspect
import textwrap
from functools import cache
from typing import Any


@cache
def field_help(config: type[Any]) -> dict[str, str]:
    """Field name to the string written under it in the class, with its unit in parentheses."""
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(config))).body
    assert isinstance(definition, ast.ClassDef)
    found = {}
    for field, following in zip(definition.body, definition.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            assert isinstance(following, ast.Expr)
            assert isinstance(following.value, ast.Constant)
            found[field.target.id] = str(following.value.value)
    return found
