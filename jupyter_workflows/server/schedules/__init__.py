"""When jobs are due."""
