"""Doorward keeps the door of a Python web application: who are you, prove it, come in, and out again."""

__version__ = "0.1.0"
