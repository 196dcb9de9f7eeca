"""Business workflows whose stages are notebooks, with people in them."""
