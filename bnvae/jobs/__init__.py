"""Processes: launch, train, evaluate, project, and what keeps them apart."""
