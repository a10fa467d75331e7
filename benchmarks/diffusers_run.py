"""What new classes of a source tree of Diffusers do that the reference's do; run by `diffusers_models.py` in a process of its own.

It is a server, so that what takes long to import is imported once: it reads a request a line, `{"source": "/path/to/src",
"pairs": {"FluxPipeline": "BrandNewFluxPipeline"}, "modules": {...}}`, and answers each in a child of its own with one line:
of each judge `true`, or what it said, and what could not be run on either side.
"""

from __future__ import annotations

import contextlib
import copy
import importlib
import inspect
import json
import os
import signal
import sys
from collections.abc import Mapping
from typing import Any

STEPS = 6
_MOST_SECONDS = 300


def main() -> None:
    """Answers every request."""
    for module in ("torch", "torchvision", "transformers", "accelerate", "PIL.Image", "scipy"):
        with contextlib.suppress(ImportError):
            importlib.import_module(module)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _answer(**json.loads(line))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if status:
            print(json.dumps({"imported": f"ended with {status}"}), flush=True)


def _answer(source: str, pairs: dict[str, str], modules: dict[str, str]) -> None:
    """Judges every pair of classes."""
    signal.alarm(_MOST_SECONDS)
    sys.path.insert(0, source)
    faults: dict[str, list[str]] = {"imported": []}
    not_run: list[str] = []
    answers = sys.stdout
    sys.stdout = sys.stderr
    for old_name, new_name in pairs.items():
        found = _found(old_name, new_name, modules)
        if isinstance(found, str):
            (not_run if found.startswith("reference") else faults["imported"]).append(f"{new_name}: {found}")
            continue
        for judge, said in _judged(*found).items():
            faults.setdefault(judge, [])
            if said is None:
                continue
            if said.startswith("reference"):
                not_run.append(f"{old_name}: {judge}: {said}")
            else:
                faults[judge].append(f"{new_name}: {said}")
    result: dict[str, Any] = {judge: said[:3] or True for judge, said in faults.items()}
    print(json.dumps({**result, "not_run": not_run}), file=answers, flush=True)


def _found(old_name: str, new_name: str, modules: Mapping[str, str]) -> tuple[Any, Any] | str:
    """Both objects, from the package's top level where the reference is had from there, else from its module."""
    import diffusers

    try:
        old = getattr(diffusers, old_name)
        is_public = True
    except (AttributeError, ImportError, RuntimeError):
        is_public = False
    try:
        if not is_public:
            old = getattr(importlib.import_module(modules[old_name]), old_name)
    except Exception as error:
        is_ours = "rand_new_thing" in str(error) or "randNewThing" in str(error)
        return f"{'' if is_ours else 'reference '}cannot be imported: {str(error)[-160:]}"
    try:
        new = getattr(diffusers if is_public else importlib.import_module(modules[new_name]), new_name)
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[-200:]}"
    if getattr(old, "_is_dummy", False) or type(old).__name__ == "DummyObject":
        return "reference needs a library that is absent" if type(new).__name__ == "DummyObject" else "is no dummy"
    return (old, new) if new.__name__ == new_name else f"is called {new.__name__}"


def _judged(old: Any, new: Any) -> dict[str, str | None]:
    from diffusers import DiffusionPipeline, ModelMixin, SchedulerMixin

    if not inspect.isclass(old):
        return {}
    if issubclass(old, ModelMixin):
        return {"parameters": _parameters(old, new)}
    if issubclass(old, SchedulerMixin):
        return {"steps": _steps(old, new)}
    if issubclass(old, DiffusionPipeline):
        return {"signatures": _signatures(old, new)}
    return {}


def _parameters(old: Any, new: Any) -> str | None:
    """Whether both have the same parameters and buffers when they are made without arguments on the meta device."""
    import torch

    with torch.device("meta"):
        try:
            expected = old()
        except Exception as error:
            return f"reference is not made without arguments: {type(error).__name__}: {str(error)[-100:]}"
        try:
            made = new()
        except Exception as error:
            return f"{type(error).__name__}: {str(error)[-200:]}"
    shapes = [{name: tuple(each.shape) for name, each in model.state_dict().items()} for model in (expected, made)]
    if shapes[0] != shapes[1]:
        return f"other parameters: {sorted(set(shapes[0].items()) ^ set(shapes[1].items()))[:4]}"
    configurations = [{key: value for key, value in getattr(model, "config", {}).items() if key != "_class_name"} for model in (expected, made)]  # fmt: skip
    differing = [key for key in configurations[0] if configurations[0][key] != configurations[1].get(key)]
    return f"another configuration: {differing}" if differing else None


def _steps(old: Any, new: Any) -> str | None:
    """Whether both schedulers lead from one sample to the same ones."""
    try:
        expected = _trajectory(old)
    except Exception as error:
        return f"reference does not step so: {type(error).__name__}: {str(error)[-100:]}"
    try:
        stepped = _trajectory(new)
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[-200:]}"
    import torch

    same = len(expected) == len(stepped) and all(torch.equal(a, b) for a, b in zip(expected, stepped, strict=True))
    return None if same else "steps to other numbers"


def _trajectory(scheduler_class: Any) -> list[Any]:
    import torch

    attempts: list[str] = []
    for arguments in ({}, {"solver_order": 2}):
        for call in (_plain_step, _sigma_step, _token_step):
            torch.manual_seed(0)
            try:
                return call(scheduler_class(**arguments))
            except Exception as error:
                attempts.append(f"{type(error).__name__}: {error}")
    raise RuntimeError("; ".join(attempts)[:300])


def _set(scheduler: Any) -> None:
    import torch

    try:
        scheduler.set_timesteps(STEPS)
    except TypeError:
        scheduler.set_timesteps(num_inference_steps=STEPS, device=torch.device("cpu"))


def _plain_step(scheduler: Any) -> list[Any]:
    import torch

    _set(scheduler)
    sample = torch.randn(1, 4, 8, 8)
    samples = [sample]
    accepted = inspect.signature(scheduler.step).parameters
    for timestep in scheduler.timesteps:
        output = torch.randn(1, 4, 8, 8)
        scaled = scheduler.scale_model_input(sample, timestep) if hasattr(scheduler, "scale_model_input") else sample
        further = {"generator": torch.Generator().manual_seed(1)} if "generator" in accepted else {}
        stepped = scheduler.step(output * 0.1 + scaled * 0.1, timestep, sample, **further)
        sample = stepped[0] if isinstance(stepped, tuple) else stepped.prev_sample
        samples.append(sample)
    return samples


def _sigma_step(scheduler: Any) -> list[Any]:
    """As schedulers step that take sigmas, or a shift of them."""
    import torch

    scheduler.set_timesteps(STEPS, mu=1.0)
    sample = torch.randn(1, 4, 8, 8)
    samples = [sample]
    for timestep in scheduler.timesteps:
        sample = scheduler.step(torch.randn(1, 4, 8, 8), timestep, sample, return_dict=False)[0]
        samples.append(sample)
    return samples


def _token_step(scheduler: Any) -> list[Any]:
    """As schedulers step whose samples are tokens."""
    import torch

    _set(scheduler)
    sample = torch.randint(0, 16, (1, 12))
    samples = [sample]
    for timestep in scheduler.timesteps:
        generator = torch.Generator().manual_seed(1)
        stepped = scheduler.step(torch.randn(1, 12, 16), timestep, sample, generator=generator)
        sample = stepped.prev_sample
        samples.append(sample)
    return samples


def _signatures(old: Any, new: Any) -> str | None:
    """Whether both pipelines take the same components and the same arguments."""
    for method in ("__init__", "__call__"):
        names = [list(inspect.signature(getattr(each, method)).parameters) for each in (old, new)]
        if names[0] != names[1]:
            return f"{method} takes {names[1]}, not {names[0]}"
    for attribute in ("_optional_components", "model_cpu_offload_seq", "_callback_tensor_inputs"):
        values = [copy.deepcopy(getattr(each, attribute, None)) for each in (old, new)]
        if values[0] != values[1]:
            return f"{attribute} is {values[1]}, not {values[0]}"
    return None


if __name__ == "__main__":
    main()
