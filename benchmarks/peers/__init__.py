"""This project beside pythae, PyTorch's own example of a VAE, and a bare loop."""
