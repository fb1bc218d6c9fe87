"""Enhancers that can be evaluated: our own methods, peers, and commands."""
