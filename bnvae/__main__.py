"""The command line: python -m bnvae train | sweep | resume | evaluate | project | list | export."""

import argparse
import os
import sys
import threading
from collections.abc import Sequence
from typing import NoReturn

from bnvae.commands import COMMANDS


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the process's exit status. Refused input ends in one line on stderr."""
    options = _parser().parse_args(arguments)
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
    def error(self, message: str) -> NoReturn:
        # argparse prints the usage as well: for `train` that is 20 lines, in which the reason is lost.
        self.exit(2, f"bnvae: {message}; see {self.prog} --help\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m bnvae", description="Train and evaluate VAEs.", allow_abbrev=False)
    commands = parser.add_subparsers(required=True, metavar="command")
    for command in COMMANDS:
        command.add(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
