"""The commands: ``jupyter workflows …``."""
