"""Steps that change values: tables that become longer or shorter, and adapters that become part of their weight."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from add_model.porting.rules.operations import Operation, Shape

if TYPE_CHECKING:
    import torch

METHODS = ("bicubic", "bilinear", "nearest")


@dataclass(frozen=True)
class Rows(Operation):
    """Cuts a table to so many rows, or pads it to them: `{ rows = 50264 }`, `{ rows = 50264, fill = 0.0 }`.

    A table becomes longer only where it is said with what its new rows are filled.
    """

    name: ClassVar[str] = "rows"
    copies: ClassVar[bool] = True
    number: int
    fill: float | None = None

    def shapes(self, shapes: Sequence[Shape]) -> list[Shape]:
        for shape in shapes:
            if not shape:
                raise ValueError("a single number has no rows")
            if self.fill is None and shape[0] < self.number:
                raise ValueError(f"{list(shape)} has fewer than {self.number} rows; say what the others hold: {{ rows = {self.number}, fill = 0.0 }}")  # fmt: skip
        return [(self.number, *shape[1:]) for shape in shapes]

    def apply(self, tensors: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        import torch

        results = []
        for tensor in tensors:
            kept = tensor[: self.number]
            missing = self.number - len(kept)
            padding = torch.full((missing, *tensor.shape[1:]), self.fill or 0.0).to(tensor.dtype)
            results.append(torch.cat([kept, padding]) if missing else kept.clone())
        return results

    def table(self) -> dict[str, Any]:
        return {self.name: self.number, **({} if self.fill is None else {"fill": self.fill})}


@dataclass(frozen=True)
class Resize(Operation):
    """Interpolates the positions of an image's patches to another grid: `{ resize = [16, 16], first = 1 }`.

    The rows behind the `first` ones are a square grid, row by row, as vision transformers have it, whose authors
    interpolate it so for images of another size (https://arxiv.org/abs/2010.11929, section 3.2).
    """

    name: ClassVar[str] = "resize"
    copies: ClassVar[bool] = True
    grid: tuple[int, int]
    first: int = 0
    method: str = "bicubic"

    def shapes(self, shapes: Sequence[Shape]) -> list[Shape]:
        for shape in shapes:
            patches = shape[-2] - self.first if len(shape) > 1 else 0
            if patches < 1 or math.isqrt(patches) ** 2 != patches or math.prod(shape[:-2]) != 1:
                raise ValueError(f"{list(shape)} is no table of {self.first} rows and a square grid")
        return [(*shape[:-2], self.first + math.prod(self.grid), shape[-1]) for shape in shapes]

    def apply(self, tensors: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        return [self._resized(tensor) for tensor in tensors]

    def _resized(self, tensor: torch.Tensor) -> torch.Tensor:
        import torch

        table = tensor.reshape(tensor.shape[-2], tensor.shape[-1])
        side = math.isqrt(len(table) - self.first)
        grid = table[self.first :].float().T.reshape(1, -1, side, side)
        corners = {} if self.method == "nearest" else {"align_corners": False}
        resized = torch.nn.functional.interpolate(grid, self.grid, mode=self.method, **corners)
        rows = resized.reshape(table.shape[1], -1).T.to(tensor.dtype)
        return torch.cat([table[: self.first], rows]).reshape(*tensor.shape[:-2], -1, tensor.shape[-1])

    def table(self) -> dict[str, Any]:
        return {self.name: list(self.grid), "first": self.first, "method": self.method}


@dataclass(frozen=True)
class Merge(Operation):
    """Adds what an adapter of low rank does to its weight: `{ merge = 2.0 }` for a weight, its `lora_A` and its `lora_B`.

    The number is what the product of the two is multiplied by: `lora_alpha` divided by the rank
    (https://arxiv.org/abs/2106.09685, section 4.1).
    """

    name: ClassVar[str] = "merge"
    copies: ClassVar[bool] = True
    scale: float

    def shapes(self, shapes: Sequence[Shape]) -> list[Shape]:
        if len(shapes) != 3 or any(len(shape) != 2 for shape in shapes):
            raise ValueError(f"merge takes a weight, its lora_A and its lora_B, not {', '.join(str(list(shape)) for shape in shapes)}")  # fmt: skip
        weight, down, up = shapes
        if (up[0], down[1]) != weight or down[0] != up[1]:
            raise ValueError(f"{list(up)} times {list(down)} is not of the shape {list(weight)}")
        return [weight]

    def apply(self, tensors: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        import torch

        weight, down, up = tensors
        dtype = torch.promote_types(torch.promote_types(weight.dtype, down.dtype), up.dtype)
        return [(weight.float() + self.scale * (up.float() @ down.float())).to(dtype)]

    def table(self) -> dict[str, Any]:
        return {self.name: self.scale}
