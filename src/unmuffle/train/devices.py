"""Where a network is trained."""

from __future__ import annotations

import torch

from unmuffle.errors import InvalidParameterError


def check_device(name: str) -> torch.device:
    """Return a device by its name: ``cpu``, ``cuda``, or ``cuda:1`` for the second GPU.

    Raises
    ------
    InvalidParameterError
        If there is no such device here.
    """
    kind, _, number = name.partition(":")
    if name == "cpu":
        return torch.device(name)
    if kind != "cuda" or (number and not number.isdecimal()):
        raise InvalidParameterError(f"device must be cpu, cuda or cuda:NUMBER, not {name!r}")
    if int(number or 0) >= torch.cuda.device_count():
        raise InvalidParameterError(
            f"there is no device {name} here: PyTorch {torch.__version__} sees {torch.cuda.device_count()} GPUs; "
            "install its build for CUDA, or train on the CPU"
        )
    return torch.device(name)
