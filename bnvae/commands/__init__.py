"""The commands of `python -m bnvae`, a module each: `add` states its arguments; what it needs is imported late."""

from bnvae.commands import bring, compare, convert, evaluate, export, list_runs, project, resume, sweep, train

COMMANDS = (train, sweep, resume, evaluate, compare, project, list_runs, export, bring, convert)
"""in the order of the help"""
