"""What is computed from a finished run and kept with it."""
