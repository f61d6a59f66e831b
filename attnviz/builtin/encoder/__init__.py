"""``builtin:encoder``: a masked language model, its texts with holes, and what its heads must find."""
