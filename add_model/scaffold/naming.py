"""Names that a new model, or the package of a new library, cannot have, whatever kind of library it is."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from add_model.errors import AddModelError, ModelExists

# What a library's code and markers name.
NAMED_PACKAGES = frozenset({"add_model", "huggingface_hub", "safetensors", "tests", "tokenizers", "torch", "transformers"})  # fmt: skip
# A package of such a name would hide one of those, or what they and the tests of a library need in turn. `test` belongs
# to Python, which does not list it among its modules.
TAKEN_PACKAGES = NAMED_PACKAGES | frozenset(
    "PIL diffusers filelock fsspec hypothesis jinja2 mypy numpy packaging pip pytest requests ruff scipy setuptools sympy test "
    "tqdm typing_extensions yaml".split()
)
# What every `torch.nn.Module` has; a model with a head holds the base model in an attribute of the model's name.
OF_EVERY_MODULE = frozenset(
    "add_module apply bfloat16 buffers children compile cpu cuda double eval extra_repr forward get_buffer get_extra_state "
    "get_parameter get_submodule half ipu load_state_dict modules mtia named_buffers named_children named_modules "
    "named_parameters parameters register_buffer register_module register_parameter requires_grad_ set_extra_state "
    "set_submodule share_memory state_dict to to_empty train training xpu zero_grad".split()
)


def check_is_new(snake: str, models: Collection[str], root: Path | None, package: str, may_exist: bool) -> None:
    """Checks that a name is neither that of the library's package nor of one of its models, nor almost.

    Args:
        snake: the name.
        models: the library's models.
        root: its root; `None` where it is to be made.
        package: the name of its package.
        may_exist: whether there may be a model of that name.

    Raises:
        ModelExists: there is such a model.
        AddModelError: the name is the package's, or differs from a model's only in its casing or its underscores.
    """
    if snake == package:
        raise AddModelError(f"--name {snake!r} is the name of the library's own package; choose another")
    for existing in models:
        if existing == snake and not may_exist:
            raise ModelExists(f"model {snake!r} exists in {root}; choose another --name, or replace it with --force, or keep what is there of it and write the rest with --finish")  # fmt: skip
        if existing != snake and bare(existing) == bare(snake):
            raise AddModelError(f"--name {snake!r} differs from the existing model {existing!r} only in its casing or its underscores; choose another")  # fmt: skip


def bare(text: str) -> str:
    """A name without its casing and its underscores."""
    return re.sub(r"[^a-z0-9]", "", text.lower())
