"""Établi: an organisation's own ChatGPT, built, certified and served on its own machines."""

__version__ = "0.1.0"
