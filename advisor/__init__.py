"""advisor: reads a training log, says what is wrong, and says what to change."""

__version__ = "0.1.0"
