"""Models as Sources: what can be run once, and say what it attended to."""

from attnviz.models.families import load

__all__ = ["load"]
