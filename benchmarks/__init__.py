"""Measurements of the figures that README.md states. Each module is a script: `python -m benchmarks.<name>`."""
