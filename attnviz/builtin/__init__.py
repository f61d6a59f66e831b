"""The models that ship: their language, their training, their weights."""
