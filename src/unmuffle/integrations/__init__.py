"""Filters for the frameworks in which voices are processed; one small file each."""
