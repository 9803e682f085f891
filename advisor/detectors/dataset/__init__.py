"""Detectors of what is wrong with a dataset."""
