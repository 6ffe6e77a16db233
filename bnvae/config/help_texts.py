"""The sentence under each configuration field, for the command line's --help and the pages' tooltips."""

import ast
import dataclasses
import inspect
import textwrap
from functools import cache
from typing import Any

from bnvae.config.schema import DataConfig, ModelConfig, RunConfig, TrainingConfig


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
            found[field.target.id] = " ".join(str(following.value.value).split())
    return found


SECTIONS: dict[str, type[Any]] = {"data": DataConfig, "model": ModelConfig, "training": TrainingConfig}
FLAGS = {("data", "name"): "data", ("data", "seed"): "data-seed"}
"""Fields whose flag is not just their name."""


def flag_of(section: str, field: str) -> str:
    """The command line's name of a field, without its dashes."""
    return FLAGS.get((section, field), field.replace("_", "-"))


def arguments(config: RunConfig) -> list[str]:
    """What `python -m bnvae train` has to be told for this configuration: every value that is not the default."""
    told = []
    for section, kind in SECTIONS.items():
        for spec in dataclasses.fields(kind):
            value, flag = getattr(getattr(config, section), spec.name), flag_of(section, spec.name)
            if isinstance(value, bool):
                told += [f"--{flag}" if value else f"--no-{flag}"] if value != spec.default else []
            elif value != spec.default or (section, spec.name) == ("data", "name"):
                told += [f"--{flag}={value}"]
    return told
