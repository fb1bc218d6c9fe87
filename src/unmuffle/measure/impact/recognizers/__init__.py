"""Recognisers behind one contract; one file each."""
