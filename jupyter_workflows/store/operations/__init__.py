"""What can be asked of the store, by subject; `Store` is all of it together."""
