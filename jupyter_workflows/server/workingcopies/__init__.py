"""Projects as they lie in the user's folders: making them, finding them, comparing them with what is live."""
