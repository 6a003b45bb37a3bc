"""Scenario files: their language, what it is read into, and what is said about mistakes in them."""
