"""The runner: claims stage runs, has them executed, and records how they ended."""
