"""PyTorch's LSTM with its states in the order of the clips, and as the one operator that ONNX has for it.

Traced, PyTorch's own would be bound to the number of frames it was traced with.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

ONNX_GATES = (0, 3, 1, 2)
"""PyTorch's gates are input, forget, cell, output; those of ONNX input, output, forget, cell."""


class Lstm(nn.LSTM):
    """Layers of LSTM over [frames, clips, features], in one direction or two."""

    @property
    def directions(self) -> int:
        """1, or 2 where it also looks backwards."""
        return 2 if self.bidirectional else 1

    def start(self, clips: int) -> tuple[Tensor, Tensor]:
        """States before the first frame, [clips, layers * directions, units] each."""
        shape = (clips, self.num_layers * self.directions, self.hidden_size)
        weight = next(self.parameters())
        return weight.new_zeros(shape), weight.new_zeros(shape)

    def run(self, x: Tensor, states: tuple[Tensor, Tensor]) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Return [frames, clips, directions * units] and the states after."""
        hidden, cell = (state.transpose(0, 1).contiguous() for state in states)
        if torch.compiler.is_exporting():
            x, hidden, cell = self._layer_by_layer(x, hidden, cell)
        else:
            x, (hidden, cell) = self(x, (hidden, cell))
        return x, (hidden.transpose(0, 1), cell.transpose(0, 1))

    def _layer_by_layer(self, x: Tensor, hidden: Tensor, cell: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        after_hidden, after_cell = [], []
        for layer in range(self.num_layers):
            here = slice(layer * self.directions, (layer + 1) * self.directions)
            weights = [self._of_layer(kind, layer) for kind in ("weight_ih", "weight_hh")]
            biases = torch.cat([self._of_layer(kind, layer) for kind in ("bias_ih", "bias_hh")], 1)
            found, last_hidden, last_cell = lstm_layer(x, *weights, biases, hidden[here], cell[here])
            x = found.transpose(1, 2).flatten(2)
            after_hidden.append(last_hidden)
            after_cell.append(last_cell)
        return x, torch.cat(after_hidden), torch.cat(after_cell)

    def _of_layer(self, kind: str, layer: int) -> Tensor:
        """Weights of both directions of a layer in the order of ONNX, [directions, 4 units, ...]."""
        units, suffixes = self.hidden_size, ("", "_reverse")[: self.directions]
        weights = [getattr(self, f"{kind}_l{layer}{suffix}") for suffix in suffixes]
        # By slices, which ONNX Runtime works out when it loads the file.
        reordered = [torch.cat([weight[n * units : (n + 1) * units] for n in ONNX_GATES]) for weight in weights]
        return torch.stack(reordered)


@torch.library.custom_op("unmuffle::lstm_layer", mutates_args=())
def lstm_layer(
    x: Tensor, of_input: Tensor, of_state: Tensor, biases: Tensor, hidden: Tensor, cell: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Stand for a layer in an exported graph: [frames, directions, clips, units] and the states after."""
    raise NotImplementedError


@lstm_layer.register_fake
def _(
    x: Tensor,
    of_input: Tensor,  # noqa: ARG001 (one signature with the above)
    of_state: Tensor,  # noqa: ARG001
    biases: Tensor,  # noqa: ARG001
    hidden: Tensor,
    cell: Tensor,
) -> tuple[Tensor, Tensor, Tensor]:
    directions, clips, units = hidden.shape
    return x.new_empty(x.shape[0], directions, clips, units), torch.empty_like(hidden), torch.empty_like(cell)
