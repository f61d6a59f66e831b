"""The models that ship: their language, their training, their weights."""

UNFINISHED = "training.json"
"""Stands in the directory of a training until its model is there, and says what is trained."""

GOES_ON = "its training is not finished; the same attnviz train goes on with it"
"""What to say of such a directory where a model is wanted."""
