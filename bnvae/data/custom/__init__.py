"""A user's own images and text."""
