"""Noise estimators, suppressors and the spectral processor that runs them."""
