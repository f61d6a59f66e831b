"""Routes: the ways in which the weights of a foreign model's attention are taken while it runs."""
