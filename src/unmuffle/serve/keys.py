"""API keys: random, told once, kept as hashes, compared in constant time.

A key holds 256 random bits, so that a plain SHA-256 of it cannot be turned back; slow hashes are for passwords.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path

from unmuffle.errors import InvalidParameterError

PREFIX = "um_"
NAME_DIGITS = 12


def make_key() -> tuple[str, str]:
    """Return a new key and its hash.

    >>> key, digest = make_key()
    >>> hash_of_key(key) == digest, len(digest)
    (True, 64)
    """
    key = PREFIX + secrets.token_urlsafe(32)
    return key, hash_of_key(key)


def hash_of_key(key: str) -> str:
    """Return the SHA-256 of a key in hexadecimal."""
    return sha256(key.encode()).hexdigest()


def read_key_hashes(path: Path) -> tuple[str, ...]:
    """Read hashes from a file: one a line, a name may follow; ``#`` begins a comment.

    Raises
    ------
    InvalidParameterError
        If the file cannot be read or has none.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise InvalidParameterError(f"the keys in {path} cannot be read: {error}") from error
    hashes = tuple(words[0].lower() for line in lines if (words := line.partition("#")[0].split()))
    if not hashes:
        raise InvalidParameterError(f"there is no key in {path}: make one by `unmuffle serve --make-key`")
    return hashes


class KeyRing:
    """The keys that let a client in.

    Parameters
    ----------
    hashes : iterable of str
        Of the keys; with none, everyone is let in.
    """

    def __init__(self, hashes: Iterable[str] = ()) -> None:
        self._hashes = tuple(hashes)

    @property
    def wanted(self) -> bool:
        """Whether a client needs a key at all."""
        return bool(self._hashes)

    def name_of(self, key: str | None) -> str | None:
        """Return a name for whoever holds a key, or None if it is not one of ours.

        The name is the beginning of the key's hash. All hashes are compared, each in constant time, so that the time
        taken tells nothing.
        """
        if key is None:
            return None
        digest = hash_of_key(key)
        found = 0
        for known in self._hashes:
            found |= hmac.compare_digest(digest, known)
        return f"key:{digest[:NAME_DIGITS]}" if found else None


def key_in(headers: Mapping[str, str]) -> str | None:
    """Return the key in ``Authorization: Bearer ...`` or ``X-Api-Key: ...``."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and value.strip():
        return value.strip()
    return headers.get("x-api-key")
