"""What networks are trained on: recordings found, packed, and mixed on the fly."""
