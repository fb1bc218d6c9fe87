"""Which of the package's extras are installed."""

from __future__ import annotations

import re
from importlib import metadata

_REQUIREMENT = re.compile(r"""^([\w.-]+).*;.*extra\s*==\s*["']([\w-]+)["']""")


def extras() -> dict[str, list[str]]:
    """Return the packages that are missing for each extra; none are where it is installed."""
    missing: dict[str, list[str]] = {}
    for requirement in metadata.requires("unmuffle") or ():
        found = _REQUIREMENT.match(requirement)
        if found is None:
            continue
        package, extra = found.groups()
        lacking = missing.setdefault(extra, [])
        if package != "unmuffle" and not _is_installed(package):
            lacking.append(package)
    return missing


def _is_installed(package: str) -> bool:
    try:
        metadata.version(package)
    except metadata.PackageNotFoundError:
        return False
    return True
