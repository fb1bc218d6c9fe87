"""Measurements that ``docs/benchmarks.md`` is made of: ``python -m bench --help``."""
