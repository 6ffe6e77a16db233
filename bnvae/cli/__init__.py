"""The commands of `python -m bnvae`, a module each: `add` states its arguments; what it needs is imported late."""

from bnvae.cli import compare, convert, evaluate, export, import_run, list_runs, project, resume, sweep, train

COMMANDS = (train, sweep, resume, evaluate, compare, project, list_runs, export, import_run, convert)
"""in the order of the help"""
