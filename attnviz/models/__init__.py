"""Sources: whatever can say what it attended to."""
