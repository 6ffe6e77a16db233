"""The Train and Race pages' parts: the form, the transport, what can be done about a run."""
