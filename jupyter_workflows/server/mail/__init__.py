"""What people are told by mail, to look at."""
