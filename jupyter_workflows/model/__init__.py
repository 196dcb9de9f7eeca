"""The domain core: documents, checks, conditions, schedules and the state machine. It does no I/O."""
