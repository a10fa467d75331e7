"""Whether the new tokenizer gives the ids that the original's gives, text by text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from add_model.errors import AddModelError
from add_model.library import installed_package
from add_model.porting.documents import parse_json
from add_model.porting.evidence import Evidence, make
from add_model.porting.model.ported_model import PortedModel
from add_model.porting.model.subject import FAILURES, Subject
from add_model.references import TARGET, read_text
from add_model.registry import TOKENIZER_MAPPING

TRANSFORMERS = "transformers:"
Encode = Callable[[str], Sequence[int]]
# Compared when no text is given: words, numbers, special characters, several scripts, odd spaces.
SAMPLE_TEXTS = (
    "The quick brown fox jumps over the lazy dog, unhappily.",
    "It's 3.14159, 1e-9 or -42; 12,345.67 is 100% of 2024-02-29 (№ 7)!",
    "Crème brûlée, naïve café, Ångström, e\u0301 and \u00e9, Straße, İstanbul.",
    "你好, 世界! こんにちは 안녕하세요 Привет مرحبا नमस्ते",
    "👩‍👩‍👧‍👦 and 👍🏽 <s>[MASK]</s> #hashtag @user https://example.org/?q=a&b=%20",
    "many     spaces\u00a0and\u2003others \t\n and a line",
    'def f(x): return {"a": [x ** 2, ~x]} // 3  # __init__',
    "",
)
_SHOWN = 60


@dataclass(frozen=True)
class Sample:
    """A text and the ids that the original's tokenizer gives for it.

    Attributes:
        place: where the text stands ("texts.txt:3").
        text: the text.
        input_ids: the ids, special tokens included.
    """

    place: str
    text: str
    input_ids: tuple[int, ...]


@dataclass(frozen=True)
class Difference:
    """The first text, and the first position in it, at which two tokenizers differ.

    Attributes:
        sample: the text, with the original's ids.
        position: the position, counted from 0.
        found: the new tokenizer's ids.
    """

    sample: Sample
    position: int
    found: tuple[int, ...]

    def described(self, token: Callable[[int], str]) -> str:
        """The difference in one line; `token` shows the token of an id."""
        expected, found = (
            f"{ids[self.position]} {token(ids[self.position])!r}" if self.position < len(ids) else "no more ids"
            for ids in (self.sample.input_ids, self.found)
        )
        text = repr(self.sample.text)
        shown = text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."
        return f"{self.sample.place} {shown}: position {self.position}: original {expected}, new {found}"


def first_difference(samples: Sequence[Sample], encode: Encode) -> tuple[Difference | None, int]:
    """The first difference, if there is one, and the number of texts that differ."""
    first, number = None, 0
    for sample in samples:
        found = tuple(encode(sample.text))
        if found == sample.input_ids:
            continue
        number += 1
        if first is None:
            pairs = enumerate(zip(sample.input_ids, found, strict=False))
            shorter = min(len(sample.input_ids), len(found))
            first = Difference(sample, next((at for at, (old, new) in pairs if old != new), shorter), found)
    return first, number


def samples_of(original: str, texts: Path | None) -> tuple[tuple[Sample, ...], tuple[Path, ...]]:
    """What the original's tokenizer gives, and the files that this rests on.

    Args:
        original: a `.jsonl` file with a `{"text": ..., "input_ids": [...]}` on each line; a `tokenizer.json`; a folder
            that the installed Transformers reads a tokenizer from; or `transformers:` with what it finds one by.
        texts: a text file, each line of which is compared, and all of it as one text; a built-in sample without one.

    Raises:
        AddModelError: the original or the texts cannot be read, or hold nothing.
    """
    path = Path(original)
    files = [path] if path.is_file() else [found for found in sorted(path.glob("*")) if found.is_file()]
    if texts is not None:
        files.append(texts)
    if path.suffix == ".jsonl":
        if texts is not None:
            raise AddModelError(f"{path} holds the texts already; leave --text out")
        samples = tuple(_recorded(path))
    else:
        encode = _original(original)
        samples = tuple(Sample(place, text, tuple(encode(text))) for place, text in _texts(texts))
    if not samples:
        raise AddModelError(f"{texts or path}: holds no text; put one on each line")
    return samples, tuple(files)


def new_tokenizer(model: PortedModel, checkpoint: Path) -> Any:
    """The new model's tokenizer, with the files in a folder.

    Raises:
        AddModelError: it cannot be imported, or the folder holds no files of it.
    """
    if not checkpoint.is_dir():
        raise AddModelError(f"--checkpoint {checkpoint} is no folder; pass the one with the tokenizer's files")
    try:
        # Of a package on Transformers, and of its own sources, the auto classes know once the model is imported.
        module = Subject(model.held, TARGET).load()
        if TOKENIZER_MAPPING in model.classes:
            tokenizer_class = getattr(module, model.classes[TOKENIZER_MAPPING])
        else:
            tokenizer_class = _transformers().AutoTokenizer
        return tokenizer_class.from_pretrained(str(checkpoint))
    except AddModelError:
        raise
    except FAILURES as error:
        raise AddModelError(f"{checkpoint}: the new tokenizer cannot be loaded from it: {' '.join(str(error).split())}; put the original's vocabulary files there") from error  # fmt: skip


def tokenizer_evidence(
    model: PortedModel, samples: Sequence[Sample], tokenizer: Any, files: Sequence[Path], details: dict[str, Any]
) -> Evidence:
    """The result of step 9: the same ids on texts with words, numbers and special characters."""
    difference, number = first_difference(samples, lambda text: tokenizer(text)["input_ids"])
    lacking = _lacking(samples)
    if difference is not None:
        shown = difference.described(lambda index: str(tokenizer.convert_ids_to_tokens([index])[0]))
        figure = f"{number} of {len(samples)} texts differ; first: {shown}"
    elif lacking:
        figure = f"the {len(samples)} texts are equal, but hold no {lacking}; compare others as well"
    else:
        ids = sum(len(sample.input_ids) for sample in samples)
        figure = f"{len(samples):,} texts, {ids:,} ids, all the same"
    passed = difference is None and not lacking
    details = {**details, "texts": len(samples), "different": number}
    # Work on the forward pass goes on long after the tokenizer is settled, and does not touch it.
    code = [path for path in model.code() if "tokeniz" in path.name]
    return make(model.root, "tokenizer", passed=passed, figure=figure, files=[*code, *files], details=details)


def _lacking(samples: Sequence[Sample]) -> str:
    text = "".join(sample.text for sample in samples)
    kinds = {
        "words": any(character.isalpha() for character in text),
        "numbers": any(character.isdigit() for character in text),
        "special characters": any(not character.isalnum() and not character.isspace() for character in text),
    }
    return " and no ".join(kind for kind, present in kinds.items() if not present)


def _texts(path: Path | None) -> Iterator[tuple[str, str]]:
    if path is None:
        yield from ((f"sample:{number}", text) for number, text in enumerate(SAMPLE_TEXTS, 1))
        return
    content = read_text(path)
    lines = content.removesuffix("\n").split("\n") if content else []
    yield from ((f"{path}:{number}", line) for number, line in enumerate(lines, 1))
    if len(lines) > 1:
        yield f"{path}, all of it", content


def _recorded(path: Path) -> Iterator[Sample]:
    # A string in JSON may hold what else ends a line for `str.splitlines`.
    for number, line in enumerate(read_text(path).split("\n"), 1):
        if not line.strip():
            continue
        try:
            content = parse_json(line)
            text, ids = content["text"], content["input_ids"]
        except (ValueError, KeyError, TypeError) as error:
            raise AddModelError(f'{path}:{number}: must be {{"text": "...", "input_ids": [1, 2]}}: {error}') from error
        if not isinstance(text, str) or not isinstance(ids, list) or not all(type(index) is int for index in ids):
            raise AddModelError(f"{path}:{number}: `text` must be a string and `input_ids` a list of integers")
        yield Sample(f"{path}:{number}", text, tuple(ids))


def _original(original: str) -> Encode:
    path = Path(original)
    if not original.startswith(TRANSFORMERS) and not path.exists():
        raise AddModelError(f"{original}: no such file or folder; pass recorded ids (.jsonl), a tokenizer.json, a folder, or {TRANSFORMERS}ID")  # fmt: skip
    try:
        if path.is_file():
            from tokenizers import Tokenizer

            tokenizer = Tokenizer.from_file(str(path))
            # A file may come with both switched on; the ids of a whole text are what is compared.
            tokenizer.no_padding()
            tokenizer.no_truncation()
            return lambda text: list(tokenizer.encode(text).ids)
        loaded = _transformers().AutoTokenizer.from_pretrained(original.removeprefix(TRANSFORMERS))
        return lambda text: list(loaded(text)["input_ids"])
    except AddModelError:
        raise
    except Exception as error:
        raise AddModelError(f"{original}: the original's tokenizer cannot be loaded: {' '.join(str(error).split())}") from error  # fmt: skip


def _transformers() -> Any:
    if installed_package("transformers") is None:
        raise AddModelError("transformers is not installed beside add-model; install it, or pass recorded ids (.jsonl) or a tokenizer.json")  # fmt: skip
    import transformers

    return transformers
