"""Measures of recordings, of what was gained and of what was damaged.

The names listed in ``__init__.pyi`` load their module when they are first used: most commands need few of them.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
