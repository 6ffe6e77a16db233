"""Walks through the latent space, and where examples lie in it."""
