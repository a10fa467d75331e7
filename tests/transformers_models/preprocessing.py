"""Tokenizers, processors and their like: made and run, a new model's as its reference's."""

from __future__ import annotations

import importlib
import json
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.transformers_models.facts import describe, time_limit
from tests.transformers_models.pairing import Pairing

SECONDS_A_CLASS = 30
_FILES = ("tokenization_", "image_processing_", "feature_extraction_", "video_processing_", "processing_")
_ENDINGS = (
    "Tokenizer", "TokenizerFast", "ImageProcessor", "ImageProcessorFast", "ImageProcessorPil", "FeatureExtractor",
    "VideoProcessor", "Processor",
)  # fmt: skip
_TEXT = "Hello world, it is 2024 [MASK]"
# What tokenizers are made from that ask for files: words, and pieces with merges.
_WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "hello", "world", ",", "it", "is", "2024"]
_PIECES = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "<mask>": 4, "h": 5, "e": 6, "l": 7, "o": 8, "he": 9, "ll": 10}
_MERGES = "#version: 0.2\nh e\nl l\n"


def preprocessing_problems(old: str, new: str, pairing: Pairing, counts: Counter[str]) -> Iterator[str]:
    """Where a class of the new model is not made, or does not answer, as its counterpart of the reference.

    Args:
        old: the reference's package.
        new: the new model's.
        pairing: the files and the names of both.
        counts: what came of each class is counted there.
    """
    made: dict[str, tuple[Any, Any]] = {}
    with tempfile.TemporaryDirectory() as folder:
        files = _files(Path(folder))
        classes = list(_classes(old, new, pairing))
        # What a processor is made of comes first.
        for before, after in sorted(classes, key=lambda pair: _is_processor(pair[0])):
            one, other = (_outcome(each, files, made, number) for number, each in enumerate((before, after)))
            kind = "preprocessors that fail like the reference" if one[0] is None else "preprocessors run"
            counts[kind] += 1
            if one[1] != other[1]:
                yield f"{after.__name__}: {str(other[1])[:200]}, the reference {str(one[1])[:200]}"
            elif one[0] is not None:
                made[_role(before.__name__)] = (one[0], other[0])


def _classes(old: str, new: str, pairing: Pairing) -> Iterator[tuple[Any, Any]]:
    for old_file, new_file in pairing.files.items():
        if not old_file.startswith(_FILES):
            continue
        try:
            before = importlib.import_module(f"{old}.{Path(old_file).stem}")
            after = importlib.import_module(f"{new}.{Path(new_file).stem}")
        except Exception:  # noqa: BLE001 -- has been reported
            continue
        for name, value in list(vars(before).items()):
            if isinstance(value, type) and value.__module__ == before.__name__ and name.endswith(_ENDINGS):
                counterpart = getattr(after, pairing.names.get(name, name), None)
                if isinstance(counterpart, type):
                    yield value, counterpart


def _is_processor(kind: Any) -> bool:
    return _role(kind.__name__) == "processor"


def _role(name: str) -> str:
    """What a processor calls a component of such a name."""
    for ending, role in (
        ("TokenizerFast", "tokenizer"),
        ("Tokenizer", "tokenizer"),
        ("FeatureExtractor", "feature_extractor"),
        ("VideoProcessor", "video_processor"),
    ):
        if name.endswith(ending):
            return role
    return "image_processor" if "ImageProcessor" in name else "processor"


def _files(folder: Path) -> list[Mapping[str, str]]:
    """What tokenizers can be given, in the order in which it is tried."""
    texts = {
        "words.txt": "\n".join(_WORDS),
        "pieces.json": json.dumps(_PIECES),
        "merges.txt": _MERGES,
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    words, pieces, merges = (str(folder / name) for name in texts)
    return [
        {},
        {"vocab_file": words},
        {"vocab_file": pieces, "merges_file": merges},
        {"vocab_file": pieces},
        {"vocab": words},
    ]


def _outcome(kind: Any, files: list[Mapping[str, str]], made: Mapping[str, tuple[Any, Any]], side: int) -> tuple[Any, Any]:  # fmt: skip
    """What was made, or `None`, and what it answers: told in a way that two of them can be compared."""
    attempts: list[Mapping[str, Any]] = list(files) if _role(kind.__name__) == "tokenizer" else [{}]
    if _is_processor(kind):
        attempts = [{role: pair[side] for role, pair in made.items() if role in _components(kind)}]
    error: Exception | None = None
    for given in attempts:
        try:
            with time_limit(SECONDS_A_CLASS), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                one = kind(**given)
                return one, (sorted(given), _answer(one, _role(kind.__name__)))
        except Exception as found:  # noqa: BLE001 -- what the reference raises is to be raised
            error = found
    assert error is not None
    return None, describe(error).partition(":")[0]


def _components(kind: Any) -> list[str]:
    names = getattr(kind, "get_attributes", None)
    return list(names() if callable(names) else getattr(kind, "attributes", ()))


def _answer(one: Any, role: str) -> Any:
    import numpy

    if role == "processor":
        return sorted(type(getattr(one, name)).__name__ != "" for name in _components(type(one)))
    if role == "tokenizer":
        return list(one(_TEXT)["input_ids"]), one.vocab_size
    if role == "feature_extractor":
        inputs = numpy.sin(numpy.arange(16_000) / 20).astype("float32")
    elif role == "video_processor":
        inputs = numpy.arange(4 * 3 * 32 * 32, dtype="uint8").reshape(4, 3, 32, 32)
    else:
        inputs = numpy.arange(64 * 64 * 3, dtype="uint32").astype("uint8").reshape(64, 64, 3)
    try:
        answer = one(inputs)
    except Exception as error:  # noqa: BLE001 -- it may want more than one input: then so does the other
        return describe(error).partition(":")[0]
    return {key: _digest(value) for key, value in dict(answer).items()}


def _digest(value: Any) -> Any:
    import hashlib

    import numpy

    try:
        array = numpy.asarray(value)
        return [*array.shape], hashlib.sha256(array.tobytes()).hexdigest() if array.dtype != object else repr(value)[:200]  # fmt: skip
    except Exception:  # noqa: BLE001 -- ragged
        return repr(type(value))
