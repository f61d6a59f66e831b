"""What looks at the tiles while a model runs."""
