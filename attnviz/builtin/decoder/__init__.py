"""``builtin:decoder``: a causal language model, its tales in which names return, and what it must do."""
