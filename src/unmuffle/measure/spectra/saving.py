"""A figure to a file: whole or not at all."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from unmuffle.errors import InvalidParameterError
from unmuffle.measure.spectra.style import LIGHT, own_style, require_matplotlib
from unmuffle.signal.files.targets import AtomicFile, refuse_existing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = ("png", "svg", "pdf")
DPI = 150.0
MOST_DPI = 1_200.0


def check_destination(path: str | PathLike[str], *, overwrite: bool = False) -> str:
    """Return the format that a name asks for; raise if there is none, or the file is there already."""
    suffix = Path(path).suffix.lstrip(".").lower()
    if suffix not in FORMATS:
        raise InvalidParameterError(f"{path} is not a name for a figure: end it in .png, .svg or .pdf")
    if not overwrite:
        refuse_existing(Path(path), str(path))
    return suffix


def save_figure(figure: Figure, path: str | PathLike[str], *, dpi: float = DPI, overwrite: bool = False) -> None:
    """Write a figure as PNG, SVG or PDF, as its name says.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        For instance from ``figure_of``.
    path : str or path
        Ends in ``.png``, ``.svg`` or ``.pdf``. Folders on the way are made.
    dpi : float, default 150
        Pixels per inch of a PNG, and of the spectrograms within the others; 20 to 1,200.
    overwrite : bool, default False
        Replace a file that is there.

    Raises
    ------
    OutputExistsError
        If the file is there and may not be replaced.
    AudioFileError
        If it cannot be written.
    InvalidParameterError
        If the name or ``dpi`` is not one of those above.
    MissingExtraError
        If matplotlib is not installed.
    """
    require_matplotlib()
    suffix = check_destination(path, overwrite=overwrite)
    if not 20.0 <= dpi <= MOST_DPI:
        raise InvalidParameterError(f"dpi must be 20 to {MOST_DPI:g}, not {dpi!r}")
    target = AtomicFile(Path(path), suffix, overwrite=overwrite)
    try:
        with own_style(LIGHT):
            # No date: the same audio gives the same file.
            figure.savefig(
                target.open(), format=suffix, dpi=dpi, facecolor=figure.get_facecolor(), metadata=_UNDATED[suffix]
            )
        target.commit()
    except BaseException:
        target.abort()
        raise


_UNDATED: dict[str, dict[str, None]] = {"png": {}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}
