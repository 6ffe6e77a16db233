"""Data sets that are made here or published."""
