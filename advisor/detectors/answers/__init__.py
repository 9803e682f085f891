"""Detectors of what is wrong with a model's answers."""
