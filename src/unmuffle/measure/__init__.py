"""Measures of recordings."""
