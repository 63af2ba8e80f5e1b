"""Custom resources: definitions, their names and versions, and what they serve."""
