"""What waits for a person or a request."""
