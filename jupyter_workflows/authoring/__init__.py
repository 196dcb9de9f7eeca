"""What a notebook of a workflow uses. It stands alone: the rest of the package is not imported here."""
