"""What single dimensions tell of known factors."""
