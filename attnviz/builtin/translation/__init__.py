"""The translators: three architectures, one task, English to French on sentences of the language."""
