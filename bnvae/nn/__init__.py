"""The model: normalization, Scaler, posterior heads, encoders and decoders."""
