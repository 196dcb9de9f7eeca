"""Snapshots of workflows, and which one is live."""
