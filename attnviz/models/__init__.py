"""Models as Sources: what can be run once, and say what it attended to."""
