"""Hugging Face datasets: a function for ``Dataset.map``.

    from datasets import Audio, load_dataset
    from unmuffle.integrations.datasets_map import BatchEnhancer
    dataset = load_dataset("audiofolder", data_dir="recordings", split="train")
    dataset = dataset.cast_column("audio", Audio(decode=False))
    dataset = dataset.map(BatchEnhancer(strength="auto"), batched=True, batch_size=16)

The package ``datasets`` is not imported here. With ``Audio(decode=False)`` files are read and written by this package,
whatever their format, and datasets needs no decoder.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

import numpy as np

from unmuffle import __version__
from unmuffle.enhancer import Enhancer
from unmuffle.errors import InvalidAudioError, InvalidParameterError, UnmuffleError

ARRAY, RATE, BYTES, PATH = "array", "sampling_rate", "bytes", "path"


class BatchEnhancer:
    """Enhances a column of audio, and leaves the others; each example has its own rate and channels.

    What it does is part of its state, so that datasets finds its own cached result of an earlier run only if settings,
    presets, networks and versions are all the same.

    Parameters
    ----------
    column : str, default "audio"
        Its cells may be files (``{"path": ..., "bytes": ...}``, or a path) or samples (``{"array": ...,
        "sampling_rate": ...}``), and stay what they are. Cells of None stay None.
    suffix : str, default "wav"
        Format of files that were enhanced: ``"wav"`` has the sample format of its source, ``"flac"`` takes less room.
    **settings
        Of ``unmuffle.Enhancer``: preset, strength, model ...

    Raises
    ------
    InvalidParameterError
        If a setting is out of range.
    """

    def __init__(self, column: str = "audio", *, suffix: str = "wav", **settings: Any) -> None:
        self.column = column
        self.suffix = suffix
        self.enhancer = Enhancer(**settings)
        self.recipe = self.enhancer.recipe()
        self.version = __version__

    def __call__(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        """Return the column of a batch, or of a single example, with its audio enhanced.

        Raises
        ------
        UnmuffleError
            With what is wrong, and the example that it is wrong with.
        """
        if self.column not in batch:
            raise InvalidParameterError(f"there is no column {self.column!r}; there are {', '.join(batch)}")
        cells = batch[self.column]
        # The cell of a single example is one mapping or name, the column of a batch a sequence of them.
        if isinstance(cells, (Mapping, str)) or cells is None or hasattr(cells, "get_all_samples"):
            return {self.column: self._enhanced(cells)}
        return {self.column: [self._enhanced(cell) for cell in cells]}

    def _enhanced(self, cell: Any) -> Any:
        if cell is None:
            return None
        if isinstance(cell, str):
            return self._enhanced_file({PATH: cell, BYTES: None})
        if isinstance(cell, Mapping) and ARRAY not in cell:
            return self._enhanced_file(cell)
        # The decoder of torchcodec has both entries as well, though it is no mapping.
        samples, rate = np.asarray(cell[ARRAY]), int(cell[RATE])
        kept = dict(cell) if isinstance(cell, Mapping) else {}
        return {**kept, ARRAY: self.enhancer.enhance(samples, rate), RATE: rate}

    def _enhanced_file(self, cell: Mapping[str, Any]) -> dict[str, Any]:
        name, data = cell.get(PATH), cell.get(BYTES)
        source = name if data is None else data
        if source is None:
            raise InvalidAudioError(
                f"a cell of {self.column} has the entries {', '.join(cell)}: it must have {ARRAY} and {RATE}, or "
                f"{PATH} or {BYTES}"
            )
        result = _Named(f"result.{self.suffix}")
        try:
            self.enhancer.enhance_file(source, result)
        except UnmuffleError as error:
            raise type(error)(f"{name}: {error}" if data is not None and name is not None else str(error)) from error
        stem = PurePath(name).stem if name is not None else "audio"
        return {PATH: f"{stem}.{self.suffix}", BYTES: result.getvalue()}


def enhance_batch(batch: Mapping[str, Any], column: str = "audio", **settings: Any) -> dict[str, Any]:
    """Enhance a batch: ``dataset.map(enhance_batch, batched=True, fn_kwargs={"strength": 0.8})``.

    datasets knows a function by its name, and cannot see that another version of it works in another way;
    ``BatchEnhancer`` has no such trap, and takes the same arguments.
    """
    return BatchEnhancer(column, **settings)(batch)


class _Named(io.BytesIO):
    """A file in memory, of a format that its name tells."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
