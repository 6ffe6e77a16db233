"""What a training leaves for readers: weights, previews, snapshots."""
