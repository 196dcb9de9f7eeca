"""Checking a workflow before it runs."""
