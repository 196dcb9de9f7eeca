"""The way from a browser to the kernel of a form, and what is let through."""
