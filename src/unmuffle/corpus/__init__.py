"""Runs over many files: a list of them once, or a whole corpus with a journal.

>>> from unmuffle.corpus import run, status                        # doctest: +SKIP
>>> run("recordings", "clear", otherwise="original").done          # doctest: +SKIP
2000

The names listed in ``__init__.pyi`` load their module when they are first used: ``unmuffle enhance`` needs few of them.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
