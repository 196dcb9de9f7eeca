"""The Jupyter server extension: routes, identity, events, and the embedded runner's supervisor."""
