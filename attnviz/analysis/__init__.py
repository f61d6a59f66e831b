"""Captures in, numbers or captures out; torch-free."""
