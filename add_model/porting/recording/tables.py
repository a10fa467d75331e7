"""Tables of words and positions: a number that none of their rows has is refused before it is looked up."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from add_model.errors import AddModelError


@contextlib.contextmanager
def refusing_numbers_beyond(model: nn.Module) -> Iterator[None]:
    """While it is open, a table of the model that is asked for a row that it has not raises `AddModelError`."""

    def look(path: str, rows: int) -> Any:
        def refuse(module: nn.Module, given: tuple[Any, ...]) -> None:
            numbers = next((value for value in given if isinstance(value, torch.Tensor)), None)
            if numbers is None or numbers.is_floating_point() or not numbers.numel() or numbers.is_meta:
                return
            wrong = numbers[(numbers < 0) | (numbers >= rows)]
            if wrong.numel():
                raise AddModelError(f"{path} ({type(module).__name__}) has the rows 0 to {rows - 1}, and was asked for {int(wrong.reshape(-1)[0])}; pass an input within them: ids of its own vocabulary, and no more positions than it has")  # fmt: skip

        return refuse

    # A class of its own may look up something else than what it is given, such as positions.
    tables = [(path, module) for path, module in model.named_modules() if isinstance(module, nn.Embedding) and type(module).forward is nn.Embedding.forward]  # fmt: skip
    handles = [module.register_forward_pre_hook(look(path, module.num_embeddings)) for path, module in tables]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
