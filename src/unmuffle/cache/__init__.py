"""Answers kept by what they were made of."""
