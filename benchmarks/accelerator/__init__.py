"""Five networks on an accelerator: against a bare loop, and against what the chip could do at best."""
