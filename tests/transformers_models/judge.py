"""The process that imports a scratch tree's Transformers once and judges models in it, one JSON line each.

    PYTHONPATH=SCRATCH/src:REPOSITORY python -m tests.transformers_models.judge SCRATCH [--no-forward] REFERENCE=NAME ... > lines.jsonl

With `--package FOLDER` the new models stand in the folder of a package of one's own, and their references in the tree. Each model is judged in a child process of its own, so that neither its memory nor its end is the next one's.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import select
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.transformers_models.checkpoints import checkpoint_problem
from tests.transformers_models.facts import Facts, describe, facts_of
from tests.transformers_models.forward import forward_problem
from tests.transformers_models.lines import CHECKS, line_of
from tests.transformers_models.pairing import Pairing, pair_folders
from tests.transformers_models.places import PACKAGE, Places
from tests.transformers_models.preprocessing import preprocessing_problems
from tests.transformers_models.registrations import model_types, registration_problems

SECONDS_A_MODEL = 1800
# A model that is too large fails by itself, and takes nothing else along.
MOST_MEMORY = 12 * 2**30


def main(arguments: Sequence[str]) -> None:
    """Judges the models that the arguments name."""
    package = Path(arguments[0]) / "src" / "transformers"
    places = Places(package / "models", package / "models")
    if "--package" in arguments:
        models = Path(arguments[arguments.index("--package") + 1])
        places = Places(package / "models", models, PACKAGE)
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    import torch
    import transformers

    if not Path(transformers.__file__).resolve().is_relative_to(package.resolve()):
        raise SystemExit(f"{transformers.__file__} is not below {package}; set PYTHONPATH to its src folder")
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    for module in ("modeling_utils", "generation", "models.auto.modeling_auto", "models.auto.processing_auto"):
        importlib.import_module(f"transformers.{module}")  # once, for all the children
    places.open()
    with_forward = "--no-forward" not in arguments
    for argument in arguments[1:]:
        reference, separator, name = argument.partition("=")
        if separator:
            print(json.dumps(_in_a_child(places, reference, name, with_forward)), flush=True)


def judge(places: Places, reference: str, name: str, with_forward: bool = True) -> dict[str, Any]:
    """What there is to say of a model, as JSON: its problems, and how many of its classes passed what.

    Args:
        places: where the models stand.
        reference: the reference's folder below `models`, such as `bert` or `deprecated/van`.
        name: the new model's folder.
        with_forward: whether forward passes are compared as well.
    """
    start = time.monotonic()
    checks: dict[str, list[str]] = {check: [] for check in CHECKS}
    counts: Counter[str] = Counter()
    if not (places.models / name).is_dir():
        return line_of(reference, name, {"imports": [f"{name} is not there"]}, {})
    pairing = pair_folders(places.references / reference, places.models / name, may_add=not places.is_in_tree)
    old, new = places.old(reference), places.new(name)
    checks["imports"] += [*pairing.problems, *_import_problems(old, new, pairing)]
    types, _ = model_types(places, reference, name, pairing.names)
    checks["registered"] += registration_problems(places, reference, name, pairing.names)
    checks["checkpoints"] += _conversion_problems(types)
    checks["preprocessors"] += preprocessing_problems(old, new, pairing, counts)
    for old_class, new_class in _model_classes(old, new, pairing):
        counts["classes"] += 1
        checks["checkpoints"] += _conversion_problems({old_class.__name__: new_class.__name__})
        found = list(_class_problems(old_class, new_class, counts))
        if with_forward and not found:
            found += _forward_problems(old_class, new_class, counts)
        checks["models"] += [f"{new_class.__name__}: {text}" for text in found]
        if not found:
            read = _checkpoint_problems(old_class, new_class, counts)
            checks["checkpoints"] += [f"{new_class.__name__}: {text}" for text in read]
    return line_of(reference, name, checks, counts) | {"seconds": round(time.monotonic() - start, 1)}


def _class_problems(old_class: Any, new_class: Any, counts: Counter[str]) -> Iterator[str]:
    before, after = facts_of(old_class), facts_of(new_class)
    if before.error is not None:
        counts["fails like the reference"] += 1
        if after.error is None:
            yield f"instantiates, while the reference raises {before.error}"
        elif after.error.partition(":")[0] != before.error.partition(":")[0]:
            yield f"raises {after.error}, the reference {before.error}"
    elif after.error is not None:
        yield f"raises {after.error}, while the reference instantiates"
    else:
        counts["instantiates"] += 1
        yield from parameter_problems(before, after)


def _forward_problems(old_class: Any, new_class: Any, counts: Counter[str]) -> Iterator[str]:
    if "forward" not in vars(old_class):
        return
    problem = forward_problem(old_class, new_class)
    counts["no forward case" if problem is None else "forward differs" if problem else "forward equal"] += 1
    if problem:
        yield problem


def _checkpoint_problems(old_class: Any, new_class: Any, counts: Counter[str]) -> Iterator[str]:
    from transformers import PreTrainedModel

    if old_class.forward is PreTrainedModel.forward:  # what the others derive from
        return
    problem = checkpoint_problem(old_class, new_class)
    counts["no checkpoint case" if problem is None else "checkpoint differs" if problem else "checkpoint equal"] += 1
    if problem:
        yield problem


def parameter_problems(before: Facts, after: Facts) -> Iterator[str]:
    """Where the parameters and buffers of two models differ in more than the words of their names."""
    if before.parameters != after.parameters:
        yield f"has {after.parameters} parameters, the reference {before.parameters}"
    if len(before.names) != len(after.names):
        yield f"has {len(after.names)} tensors, the reference {len(before.names)}"
        return
    words: dict[str, str] = {}
    for (old_name, *old_rest), (new_name, *new_rest) in zip(before.names, after.names, strict=True):
        old_parts, new_parts = old_name.split("."), new_name.split(".")
        if old_rest != new_rest or len(old_parts) != len(new_parts):
            yield f"has {new_name} {' '.join(new_rest)} where the reference has {old_name} {' '.join(old_rest)}"
            return
        for old, new in zip(old_parts, new_parts, strict=True):
            if words.setdefault(old, new) != new:
                yield f"calls {old} both {words[old]} and {new}"
                return
    if len(set(words.values())) != len(words):
        yield "has one name for two of the reference's modules"


def _import_problems(old: str, new: str, pairing: Pairing) -> Iterator[str]:
    for old_file, new_file in pairing.files.items():
        before = _import_error(f"{old}.{Path(old_file).stem}")
        after = _import_error(f"{new}.{Path(new_file).stem}")
        if (before or "").partition(":")[0] != (after or "").partition(":")[0]:
            yield f"{new_file}: importing gives {after or 'no error'}, the reference's gives {before or 'no error'}"


def _import_error(module: str) -> str | None:
    try:
        importlib.import_module(module)
    except Exception as error:  # noqa: BLE001 -- optional packages that are not installed, for one
        return describe(error)
    return None


def _conversion_problems(types: Mapping[str, str]) -> Iterator[str]:
    """Checkpoints of a type or class may have to be converted while they are loaded; then those of the new one, too."""
    try:
        from transformers.conversion_mapping import get_checkpoint_conversion_mapping
    except ImportError:
        return
    for old, new in types.items():
        before, after = get_checkpoint_conversion_mapping(old), get_checkpoint_conversion_mapping(new)
        # The new model may have a rule of its own behind those of its reference, for what it calls otherwise.
        if (before is None) != (after is None) or len(before or ()) > len(after or ()):
            yield f"checkpoints of {new} are not converted like those of {old}"


def _model_classes(old: str, new: str, pairing: Pairing) -> Iterator[tuple[Any, Any]]:
    """The model classes of the reference, each with the new model's; those with a counterpart that is none are said."""
    from transformers import PreTrainedModel

    for old_file, new_file in pairing.files.items():
        if not old_file.startswith("modeling_") or old_file.startswith(("modeling_tf_", "modeling_flax_")):
            continue
        try:
            before = importlib.import_module(f"{old}.{Path(old_file).stem}")
            after = importlib.import_module(f"{new}.{Path(new_file).stem}")
        except Exception:  # noqa: BLE001 -- has been reported
            continue
        for name, value in list(vars(before).items()):
            if isinstance(value, type) and issubclass(value, PreTrainedModel) and value.__module__ == before.__name__:
                counterpart = getattr(after, pairing.names.get(name, name), None)
                if isinstance(counterpart, type) and counterpart.__module__ == after.__name__:
                    yield value, counterpart


def _in_a_child(places: Places, reference: str, name: str, with_forward: bool) -> dict[str, Any]:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
            result = judge(places, reference, name, with_forward)
        except BaseException as error:  # noqa: BLE001 -- a child says whatever ends it
            place = traceback.extract_tb(error.__traceback__)[-1]
            said = f"judging it raises {describe(error)} ({Path(place.filename).name}:{place.lineno})"
            result = line_of(reference, name, {"imports": [said]}, {})
        with os.fdopen(writing, "w") as file:
            json.dump(result, file)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as file:
        if not select.select([file], [], [], SECONDS_A_MODEL)[0]:
            os.kill(child, signal.SIGKILL)
        text = file.read()
    _, status = os.waitpid(child, 0)
    if text:
        document: dict[str, Any] = json.loads(text)
        return document
    return line_of(reference, name, {"imports": [f"judging it ended with status {status}"]}, {})


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    main(sys.argv[1:])
