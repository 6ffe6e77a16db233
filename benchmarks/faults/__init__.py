"""Trainings whose workers are killed and whose disks fail, against undisturbed ones, byte for byte."""
