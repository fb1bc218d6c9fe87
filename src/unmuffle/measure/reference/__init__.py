"""Measures of an estimate against its clean reference, after both were brought in step."""
