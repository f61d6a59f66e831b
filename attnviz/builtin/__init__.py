"""The models that ship: their language, their training, their weights."""

UNFINISHED = "training.json"
"""Stands in the directory of a training until its model is there, and says what is trained."""
