"""Rendering: one frozen diagnosis in, text out. No judgement and no arithmetic on the findings."""
