"""PyTorch: an enhancer as a module, for the front of a model or a pipeline of transforms.

from unmuffle.integrations.torch_module import EnhancerModule
front = torch.nn.Sequential(EnhancerModule(16_000, strength="auto"), recogniser)
"""

from __future__ import annotations

from typing import Any

import torch

from unmuffle.enhancer import Enhancer
from unmuffle.errors import InvalidAudioError


class EnhancerModule(torch.nn.Module):
    """Enhances waveforms; each of a batch on its own, the channels of one together.

    The work is done by ONNX Runtime on the processor, wherever the tensor lies, and the result goes back there. There
    is no gradient: what comes out is detached. The module has no parameters, and does the same in training and in
    evaluation.

    Parameters
    ----------
    sample_rate : int
        In Hz, 8,000 to 192,000.
    **settings
        Of ``unmuffle.Enhancer``: preset, strength, model ...

    Raises
    ------
    InvalidParameterError
        If a setting is out of range.
    """

    def __init__(self, sample_rate: int, **settings: Any) -> None:
        super().__init__()
        self.sample_rate = sample_rate
        self.enhancer = Enhancer(**settings)

    @torch.compiler.disable  # type: ignore[untyped-decorator, unused-ignore]
    def forward(self, waveform: torch.Tensor) -> torch.Tensor:
        """Enhance.

        Parameters
        ----------
        waveform : Tensor
            ``[samples]``, ``[channels, samples]`` or ``[batch, channels, samples]`` of any floating type, full scale
            1.0, on any device.

        Returns
        -------
        Tensor
            Of the shape, type and device of the waveform.

        Raises
        ------
        InvalidAudioError
            If the shape or the type is another, or it holds NaN or infinity.
        """
        if not waveform.is_floating_point() or not 1 <= waveform.ndim <= 3:
            raise InvalidAudioError(
                f"a waveform of {waveform.dtype} {list(waveform.shape)} cannot be enhanced: give floats "
                "[samples], [channels, samples] or [batch, channels, samples]"
            )
        samples = waveform.detach().to("cpu", torch.float32).numpy()
        if waveform.ndim < 3:
            enhanced = torch.from_numpy(self.enhancer.enhance(samples, self.sample_rate))
        else:
            results = [torch.from_numpy(self.enhancer.enhance(item, self.sample_rate)) for item in samples]
            enhanced = torch.stack(results) if results else torch.empty(samples.shape)
        return enhanced.to(waveform.device, waveform.dtype)

    def extra_repr(self) -> str:
        """Return what is printed of the module."""
        return f"sample_rate={self.sample_rate}, {self.enhancer}"
