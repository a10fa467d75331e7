"""What of a tensor lies in memory, and how to look at it without a copy."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def is_plain(tensor: torch.Tensor) -> bool:
    """Whether a tensor's values lie in memory, one for each of its elements."""
    import torch

    return tensor.layout is torch.strided and not (tensor.is_nested or tensor.is_quantized or tensor.is_meta)


def real(tensor: torch.Tensor) -> torch.Tensor:
    """A tensor as it is stored: complex numbers as pairs in a dimension of their own, without what is yet to be done."""
    import torch

    tensor = tensor.resolve_conj().resolve_neg()
    return torch.view_as_real(tensor) if tensor.is_complex() else tensor


def count_of_changes(tensor: torch.Tensor) -> int:
    """How often the tensor was changed in place; -1 where torch does not count that."""
    try:
        return tensor._version
    except RuntimeError:
        return -1


def bytes_of(tensor: torch.Tensor) -> memoryview:
    """The memory of a contiguous tensor on the CPU, not copied; the tensor must outlive what is returned."""
    size = tensor.numel() * tensor.element_size()
    return memoryview((ctypes.c_char * size).from_address(tensor.data_ptr())).cast("B") if size else memoryview(b"")
