"""Measures of one recording that has nothing to be compared with."""
