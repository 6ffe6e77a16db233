"""A training as an iterator of records: sampler, optimizer, evaluation; no file is touched."""
