"""A microphone loop: in, enhanced, out."""
