"""Everything that decides what a run computes: schema, help texts, named methods, scheduled changes."""
