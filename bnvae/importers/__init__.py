"""Runs made of what was trained elsewhere: a model with its description, or arrays of posteriors."""
