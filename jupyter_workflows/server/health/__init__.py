"""How the server, the runner and the database stand."""
