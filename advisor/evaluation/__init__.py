"""A model's answers beside the references: metrics with their noise, and signs of what is wrong with the answers."""
