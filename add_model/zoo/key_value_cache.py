"""The key/value cache of decoders, which the models' outputs hold as well."""

from __future__ import annotations

import torch

KeyValue = tuple[torch.Tensor, torch.Tensor]


class KeyValueCache:
    """The keys and values that a decoder has already computed, layer by layer.

    Self-attention adds the keys and values of the new tokens with `update` and attends to all of them.
    Cross-attention computes its keys and values from the encoder's output once, stores them with
    `set_cross_attention`, and reads them with `get_cross_attention` from then on.

    All tensors are `(batch, heads, length, head_size)`.
    """

    def __init__(self) -> None:
        self.self_attention: dict[int, KeyValue] = {}
        self.cross_attention: dict[int, KeyValue] = {}

    def __len__(self) -> int:
        """The number of layers that self-attention has filled."""
        return len(self.self_attention)

    @property
    def sequence_length(self) -> int:
        """How many tokens the cache holds. Read it before the first layer adds the new ones."""
        if not self.self_attention:
            return 0
        key, _ = next(iter(self.self_attention.values()))
        return key.shape[2]

    def update(self, layer_index: int, key: torch.Tensor, value: torch.Tensor) -> KeyValue:
        """Append keys and values of new tokens to a layer, and return those of all its tokens."""
        if layer_index in self.self_attention:
            past_key, past_value = self.self_attention[layer_index]
            key = torch.cat((past_key, key), dim=2)
            value = torch.cat((past_value, value), dim=2)
        self.self_attention[layer_index] = (key, value)
        return key, value

    def set_cross_attention(self, layer_index: int, key: torch.Tensor, value: torch.Tensor) -> None:
        """Store a layer's keys and values of the encoder's output."""
        self.cross_attention[layer_index] = (key, value)

    def get_cross_attention(self, layer_index: int) -> KeyValue | None:
        """Return a layer's keys and values of the encoder's output, or `None` before they were stored."""
        return self.cross_attention.get(layer_index)

    def reorder(self, rows: torch.Tensor) -> None:
        """Let every text go on from the keys and values of another: that in the row given for it, `(batch,)`.

        Cross-attention stays: the continuations of one text, which take each other's place, share the encoder's output.
        """
        for layer_index, (key, value) in self.self_attention.items():
            self.self_attention[layer_index] = (key.index_select(0, rows), value.index_select(0, rows))
