"""Estimates by sampling: likelihood, permuted codes, aggregated posterior."""
