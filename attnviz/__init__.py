"""See where a transformer looks."""

__version__ = "0.1.0"
