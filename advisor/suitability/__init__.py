"""Should a model be fine-tuned for a task? From answers and measurements to one outcome with its reasons."""
