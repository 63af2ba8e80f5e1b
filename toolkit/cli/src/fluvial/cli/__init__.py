"""The fluvial command."""
