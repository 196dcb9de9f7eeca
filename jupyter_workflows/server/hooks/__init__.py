"""Hooks: the addresses at which requests from outside start or wake stages, and their answers."""
