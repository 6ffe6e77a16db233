"""Runs beside each other: tables, ranking, equal rate, conventions of other projects."""
