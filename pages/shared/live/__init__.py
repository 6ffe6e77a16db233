"""What there is to see of trainings now, for all visitors at once."""
