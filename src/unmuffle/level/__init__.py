"""Loudness."""
