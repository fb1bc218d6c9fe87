"""A packed corpus, which several modules train on; those that need torch are left out where it is missing."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_training import make_corpus


@pytest.fixture(scope="session")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small full-band corpus, packed."""
    from unmuffle.train.data.packing import pack

    folder = tmp_path_factory.mktemp("corpus")
    speech, noise = make_corpus(folder, talkers=14, rate=48_000)
    pack({"speech": [speech], "noise": [noise]}, folder / "packed", simulated_rooms=4, validation_share=0.4)
    return folder / "packed"
