"""Runs: starting, showing, cancelling, trying again."""
