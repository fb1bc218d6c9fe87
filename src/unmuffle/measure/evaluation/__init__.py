"""Evaluation of enhancers: clips found or mixed, enhancers side by side on them."""
