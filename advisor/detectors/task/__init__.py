"""Detectors of what a task asks for: prompts, retrieval, fine-tuning."""
