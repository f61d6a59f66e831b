"""Captures as files, written and read without torch."""
