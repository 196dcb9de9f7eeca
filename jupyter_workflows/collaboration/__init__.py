"""The workflow document as a shared one, for rooms of jupyter-collaboration."""
