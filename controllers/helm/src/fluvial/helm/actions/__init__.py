"""What can be done to a release: one module per action, all in the order of Helm's own steps."""
