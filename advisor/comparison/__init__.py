"""Runs beside each other: what differs in their settings, what differs in their results, and whether that is more than noise."""
