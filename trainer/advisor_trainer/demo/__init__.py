"""Real trainings that take seconds: a small base model, tasks on text with a free licence, and faults planted by name."""
