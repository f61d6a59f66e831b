"""Many figures: planned, checked, made on all cores or several machines, taken up where they stopped."""
