"""The dataset doctor: records, checks, duplicates."""
