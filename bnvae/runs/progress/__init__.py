"""What a training leaves while it runs: history, checkpoint, status, control."""
