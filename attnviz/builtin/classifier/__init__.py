"""``builtin:classifier``: says the topic of a story, from what its [CLS] token has looked at."""
