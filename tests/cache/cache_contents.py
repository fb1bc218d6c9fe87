"""Keys and what belongs under each; run as a script, a process that puts and gets them until it is killed."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

from unmuffle.cache import Cache, cache_key

KEYS = 12
LARGEST_BYTES = 600_000


def key_of(number: int) -> str:
    return cache_key(b"recording", model_checksum=None, parameters={"number": number}, package_version="1")


def content_of(number: int) -> bytes:
    """Bytes that no part of another's can be taken for."""
    chooser = random.Random(number)
    return chooser.randbytes(chooser.choice((0, 10, 5_000, LARGEST_BYTES)) + number)


def busy_process(folder: Path, seed: int, rounds: int = 0) -> subprocess.Popen[str]:
    """Start a process that works on the cache; without a number of rounds it does not end by itself."""
    command = [sys.executable, __file__, str(folder), str(seed), str(rounds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def say(what: str) -> None:
    sys.stdout.write(what + "\n")
    sys.stdout.flush()


def main(folder: str, seed: str, rounds: str) -> None:
    chooser = random.Random(seed)
    contents = [content_of(number) for number in range(KEYS)]
    keys = [key_of(number) for number in range(KEYS)]
    source = Path(folder).parent / f"source-{seed}"
    # Of all that is asked for half finds room, so that entries go as they come.
    with Cache(folder, disk_bytes=sum(map(len, contents)) // 2, memory_bytes=LARGEST_BYTES) as cache:
        done = answered = 0
        while done < int(rounds) or not int(rounds):
            number = chooser.randrange(KEYS)
            found = cache.get(keys[number])
            answered += found is not None
            if found is not None and found != contents[number]:
                say(f"wrong bytes under {number}")
            if done % 2:
                cache.put(keys[number], contents[number])
            else:
                source.write_bytes(contents[number])
                cache.put_file(keys[number], source)
            if done == 0:
                say("at work")
            done += 1
        say(f"answered {answered}")


if __name__ == "__main__":
    main(*sys.argv[1:])
