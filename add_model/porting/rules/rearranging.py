"""Steps that put the rows of a weight in the order in which the new model takes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from add_model.porting.rules.operations import Operation, Shape

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Rotary(Operation):
    """Puts the rows that each head rotates with each other half a head apart, where they were stored in turn.

    `{ rotary = 32 }` for 32 heads; `{ rotary = 16, rows = 64 }` where only the first 64 rows of each head are rotated;
    `{ rotary = 32, back = true }` for the way from halves to in turn. In turn is how the paper pairs them
    (https://arxiv.org/abs/2104.09864, equation 34), in halves how GPT-NeoX and Llama of Transformers do.
    """

    name: ClassVar[str] = "rotary"
    copies: ClassVar[bool] = True
    heads: int
    rows: int | None = None
    back: bool = False

    def shapes(self, shapes: Sequence[Shape]) -> list[Shape]:
        for shape in shapes:
            rows = shape[0] // self.heads if shape else 0
            rotated = rows if self.rows is None else self.rows
            if not shape or shape[0] % self.heads or rotated % 2 or not 0 < rotated <= rows:
                raise ValueError(f"{list(shape)} has no {self.heads} heads of {'an even number of' if self.rows is None else self.rows} rotated rows")  # fmt: skip
        return list(shapes)

    def apply(self, tensors: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        return [self._rearranged(tensor) for tensor in tensors]

    def _rearranged(self, tensor: torch.Tensor) -> torch.Tensor:
        import torch

        heads = tensor.reshape(self.heads, -1, *tensor.shape[1:])
        rotated, rest = heads[:, : self.rows], heads[:, self.rows or heads.shape[1] :]
        pairs = (2, -1) if self.back else (-1, 2)
        rotated = rotated.reshape(self.heads, *pairs, *tensor.shape[1:]).transpose(1, 2)
        joined = torch.cat([rotated.reshape(self.heads, -1, *tensor.shape[1:]), rest], 1)
        return joined.reshape(tensor.shape)

    def table(self) -> dict[str, Any]:
        rows = {} if self.rows is None else {"rows": self.rows}
        return {self.name: self.heads, **rows, **({"back": True} if self.back else {})}
