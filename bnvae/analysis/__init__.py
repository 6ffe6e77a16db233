"""What a trained model's latent space looks like: a model and arrays in, arrays and dataclasses out."""
