"""The command line, `python -m bnvae COMMAND`; the commands are those of `bnvae.cli`."""

import argparse
import os
import sys
import threading
from collections.abc import Sequence
from difflib import get_close_matches
from typing import NoReturn

from bnvae.cli import COMMANDS


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the process's exit status. Refused input ends in one line on stderr."""
    options = _parsed(arguments)
    try:
        status = int(options.command(options) or 0)
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        print("bnvae: interrupted", file=sys.stderr, flush=True)
        if threading.active_count() > 1:
            os._exit(130)  # members of a race in the middle of a step, which an orderly exit may crash on
        return 130
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (ValueError, OSError, FloatingPointError) as error:
        print(f"bnvae: {error}", file=sys.stderr)
        return 2


class _Parser(argparse.ArgumentParser):
    commands: dict[str, argparse.ArgumentParser]

    def error(self, message: str) -> NoReturn:
        # argparse prints the usage as well: for `train` that is 20 lines, in which the reason is lost.
        self.exit(2, f"bnvae: {message}; see {self.prog} --help\n")


def _parser() -> _Parser:
    parser = _Parser(prog="python -m bnvae", description="Train and evaluate VAEs.", allow_abbrev=False)
    commands = parser.add_subparsers(required=True, metavar="command", dest="named")
    for command in COMMANDS:
        command.add(commands)
    parser.commands = dict(commands.choices)
    return parser


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """What was asked for; of a flag that a command does not have, that command says which one is nearest."""
    parser = _parser()
    options, unknown = parser.parse_known_args(arguments)
    if unknown:
        chosen = parser.commands[options.named]
        flags = [flag for action in chosen._actions for flag in action.option_strings]
        near = get_close_matches(unknown[0].partition("=")[0], flags, 1)
        meant = f" (did you mean {near[0]}?)" if near else ""
        chosen.error(f"unrecognized arguments: {' '.join(unknown)}{meant}")
    return options


if __name__ == "__main__":
    sys.exit(main())
