"""Forms as live ipywidgets: what a person in front of JupyterLab sees."""
