"""Figures by name: values, units, one value for each example."""
