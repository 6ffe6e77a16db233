"""Every setting of a run as a flag of the command line, and back."""

import argparse
import dataclasses
from typing import Any, TypeAlias, get_args, get_type_hints

from bnvae.config.help_texts import SECTIONS, field_help, flag_of
from bnvae.config.schema import RunConfig

Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

AMORTISED = "amortised"
"""`--tau amortised` is `--amortised` with the usual tau for figures"""


def add_setting(group: Any, section: str, spec: "dataclasses.Field[Any]", config: type) -> None:
    wanted = get_type_hints(config)[spec.name]
    flag = flag_of(section, spec.name)
    help_text = field_help(config)[spec.name].replace("%", "%%") + f" [{spec.default!r}]"
    options: dict[str, Any] = {"dest": f"{section}.{spec.name}", "default": spec.default, "help": help_text}
    if spec.name == "tau":
        group.add_argument(f"--{flag}", type=_tau, metavar=f"FLOAT|{AMORTISED}", **options)
    elif wanted is bool:
        group.add_argument(f"--{flag}", action=argparse.BooleanOptionalAction, **options)
    elif choices := get_args(wanted):
        group.add_argument(f"--{flag}", choices=choices, **options)
    else:
        group.add_argument(f"--{flag}", type=wanted, metavar=wanted.__name__.upper(), **options)


def _tau(text: str) -> float | str:
    try:
        return AMORTISED if text == AMORTISED else float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"tau is {text!r}: give a number, or {AMORTISED!r}") from None


def config_of(options: argparse.Namespace) -> RunConfig:
    sections = {}
    for section, config in SECTIONS.items():
        given = {spec.name: f"{section}.{spec.name}" for spec in dataclasses.fields(config)}
        fields = {name: getattr(options, flag) for name, flag in given.items() if hasattr(options, flag)}
        if fields.get("tau") == AMORTISED:
            fields |= {"tau": config.tau, "amortised": True}
        sections[section] = config(**fields)
    return RunConfig(**sections)
