"""What actions have in common: objects, hooks and definitions, in Helm's order and by its rules."""
