"""Channel layouts: their names, and the speaker masks that WAV and its kin write for them."""

from __future__ import annotations

UNKNOWN_LAYOUT = "unknown"

LAYOUT_MASKS: dict[str, int] = {
    "mono": 0x4,
    "stereo": 0x3,
    "2.1": 0xB,
    "3.0": 0x7,
    "4.0": 0x107,
    "quad": 0x33,
    "5.0": 0x37,
    "5.0(side)": 0x607,
    "5.1": 0x3F,
    "5.1(side)": 0x60F,
    "6.1": 0x70F,
    "7.1": 0x63F,
}
_MASK_LAYOUTS = {mask: name for name, mask in LAYOUT_MASKS.items()}
_USUAL_LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "quad", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}

# Vorbis orders its speakers by its own specification; all else here keeps the order of the mask's bits.
_VORBIS_ORDER = {
    3: (0, 2, 1),
    5: (0, 2, 1, 3, 4),
    6: (0, 2, 1, 4, 5, 3),
    7: (0, 2, 1, 5, 6, 4, 3),
    8: (0, 2, 1, 6, 7, 4, 5, 3),
}


def usual_layout(channels: int) -> str:
    """Name of the layout that `channels` channels usually have, or ``"unknown"``."""
    return _USUAL_LAYOUTS.get(channels, UNKNOWN_LAYOUT)


def layout_of_mask(mask: int, channels: int) -> str:
    """Name of the layout with this speaker mask; without one, only mono and stereo are taken for granted."""
    if mask == 0:
        return usual_layout(channels) if channels <= 2 else UNKNOWN_LAYOUT
    name = _MASK_LAYOUTS.get(mask, UNKNOWN_LAYOUT)
    return name if bin(mask).count("1") == channels else UNKNOWN_LAYOUT


def mask_of_layout(layout: str) -> int:
    """Speaker mask of a layout; 0 where it has none."""
    return LAYOUT_MASKS.get(layout, 0)


def vorbis_order(channels: int) -> tuple[int, ...]:
    """Give the indices that put `channels` channels in mask order into Vorbis order."""
    return _VORBIS_ORDER.get(channels, tuple(range(channels)))
