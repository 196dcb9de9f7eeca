"""Workflows that were deployed."""
