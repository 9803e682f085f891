"""A plug-in of advisor: a reader, a detector, and a rule that uses it."""
