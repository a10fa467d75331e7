"""Two models with the same weights: whether a forward pass gives the same bits."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.transformers_models.facts import describe, time_limit
from tests.transformers_models.tiny import MOST_PARAMETERS, inputs_for, small_settings

SECONDS_A_CLASS = 30


@dataclass(frozen=True)
class Case:
    """A configuration and inputs with which the reference's forward pass works, and what it answered."""

    settings: dict[str, Any]
    model: Any
    inputs: dict[str, Any]
    outputs: list[tuple[str, Any]]


def forward_problem(old_class: Any, new_class: Any) -> str | None:
    """Why the new model's outputs are not the reference's, bit by bit; empty where they are.

    `None` where the reference has no case that could be built: then there is nothing to compare.
    """
    try:
        with time_limit(SECONDS_A_CLASS), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            case = find_case(old_class)
    except TimeoutError:
        return None
    if case is None:
        return None
    try:
        with time_limit(SECONDS_A_CLASS), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _difference(case, new_class)
    except Exception as error:  # noqa: BLE001 -- the reference passed
        return f"the forward pass raises {describe(error)}"


def find_case(model_class: Any) -> Case | None:
    """The first configuration and inputs with which a forward pass of this class works and answers with numbers."""
    try:
        configuration = model_class.config_class()
    except Exception:  # noqa: BLE001 -- some cannot be made without arguments
        return None
    for settings in small_settings(configuration):
        model = made(model_class, settings)
        if model is None:
            continue
        for inputs in inputs_for(model):
            try:
                outputs = _outputs(model, inputs)
            except TimeoutError:
                raise
            except Exception:  # noqa: BLE001 -- these are guesses
                continue
            if outputs:
                return Case(settings, model, inputs, outputs)
    return None


def made(model_class: Any, settings: Mapping[str, Any]) -> Any:
    """A model of that class on the CPU; `None` where the settings do not fit, or make a large one."""
    import torch

    try:
        if _size(model_class, settings) > MOST_PARAMETERS:
            return None
        torch.manual_seed(0)
        return model_class(configured(model_class, settings)).eval()
    except TimeoutError:
        raise
    except Exception:  # noqa: BLE001 -- these are guesses
        return None


def _size(model_class: Any, settings: Mapping[str, Any]) -> int:
    """How many parameters a model will have; 0 where the meta device cannot tell, for the process is bounded as well."""
    import torch

    configuration = configured(model_class, settings)
    try:
        with torch.device("meta"):
            return sum(tensor.numel() for tensor in model_class(configuration).parameters())
    except (NotImplementedError, RuntimeError):
        return 0


def configured(model_class: Any, settings: Mapping[str, Any]) -> Any:
    import copy

    return model_class.config_class(**copy.deepcopy(dict(settings)))


def _difference(case: Case, new_class: Any) -> str:
    import torch

    torch.manual_seed(1)
    model = new_class(configured(new_class, case.settings)).eval()
    # Position by position: the names differ where the renaming reached them, and are compared elsewhere.
    old_state, new_state = case.model.state_dict(), model.state_dict()
    if len(old_state) != len(new_state):
        return f"has {len(new_state)} weights with a tiny configuration, the reference {len(old_state)}"
    model.load_state_dict(dict(zip(new_state, old_state.values(), strict=True)))
    outputs = _outputs(model, case.inputs)
    if len(outputs) != len(case.outputs):
        return f"answers with {len(outputs)} tensors, the reference with {len(case.outputs)}"
    for (place, expected), (_, found) in zip(case.outputs, outputs, strict=True):
        if not same_bits(expected, found):
            return f"{place or 'the output'} is not bitwise equal"
    return ""


def _outputs(model: Any, inputs: Mapping[str, Any]) -> list[tuple[str, Any]]:
    import torch

    torch.manual_seed(2)
    with torch.no_grad():
        return list(_tensors(model(**inputs), ""))


def _tensors(value: Any, place: str) -> Iterator[tuple[str, Any]]:
    """Every tensor in an answer, with the way to it; caches are looked into as well."""
    import torch

    if isinstance(value, torch.Tensor):
        yield place, value
    elif isinstance(value, Mapping):
        for key, entry in value.items():
            yield from _tensors(entry, f"{place}.{key}".strip("."))
    elif isinstance(value, (tuple, list)):
        for number, entry in enumerate(value):
            yield from _tensors(entry, f"{place}[{number}]")
    elif hasattr(value, "layers") or hasattr(value, "keys") or type(value).__name__.endswith(("Cache", "CacheLayer")):
        yield from _tensors({key: entry for key, entry in vars(value).items() if not key.startswith("_")}, place)


def same_bits(expected: Any, found: Any) -> bool:
    import torch

    if expected.shape != found.shape or expected.dtype != found.dtype:
        return False
    before, after = (tensor.detach().cpu().contiguous().reshape(-1) for tensor in (expected, found))
    return torch.equal(before.view(torch.uint8), after.view(torch.uint8))
