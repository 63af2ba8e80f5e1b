"""Metrics of the embedded control plane (see below)."""
