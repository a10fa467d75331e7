"""A model's name in all its casings, and a renaming that works by word, never by substring.

An identifier is split into words at underscores, at changes of case and after digits (`GPT2LMHeadModel` is
`GPT2 LM Head Model`, `is_mambapy_available` is `is mambapy available`), and only whole words that spell the model's
name are renamed: `bert` neither touches `albert` nor `roberta`, `opt` leaves `Optional` alone, and `sam` is not `sam3`.
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Set
from dataclasses import dataclass
from functools import cached_property

from add_model.errors import AddModelError

# A run of capitals ends before a capital that starts a capitalised word; digits belong to the word before them.
_WORD = re.compile(r"[A-Z]+(?![a-z])[0-9]*|[A-Z][a-z]*[0-9]*|[a-z]+[0-9]*|[0-9]+")
_IDENTIFIER = r"[A-Za-z0-9_]+"
# Its files are called `test_convert_NAME_checkpoint.py` and the like, and no file's name holds more than 255 letters.
_LONGEST = 100
_WINDOWS_DEVICE = re.compile(r"con|prn|aux|nul|(?:com|lpt)[0-9]")
_SNAKE_NAME = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
# An underscore stands only where two numbers would run into one: `Qwen2_5`.
_CAMEL_NAME = re.compile(r"[A-Z][A-Za-z0-9]*(?:(?<=[0-9])_(?=[0-9])[A-Za-z0-9]+)*")


@dataclass(frozen=True)
class ModelName:
    """A model's name in every casing that code and prose use.

    Attributes:
        snake: the model type, and its folder's name (`brand_new_bert`, `gpt2`).
        camel: the prefix of its classes (`BrandNewBert`, `GPT2`).
        title: its name in prose (`BrandNewBert`, `GPT-2`).
    """

    snake: str
    camel: str
    title: str

    @property
    def upper(self) -> str:
        """The prefix of its constants (`BRAND_NEW_BERT`)."""
        return self.snake.upper()

    @property
    def kebab(self) -> str:
        """Its name in file names and addresses on the web (`brand-new-bert`)."""
        return self.snake.replace("_", "-")

    @classmethod
    def from_snake(cls, snake: str, camel: str | None = None) -> ModelName:
        """The casings of a new model's name.

        Args:
            snake: the model type.
            camel: the prefix of its classes; by default each word of the model type with a capital.

        Raises:
            AddModelError: the name is too long, no lower-case identifier, is a keyword, or is a builtin; or the prefix
                of its classes is none, or spells another name.
        """
        if len(snake) > _LONGEST:
            raise AddModelError(f"--name {snake[:20]!r}... is too long with its {len(snake)} letters; choose one of at most {_LONGEST}")  # fmt: skip
        if not _SNAKE_NAME.fullmatch(snake):
            suggestion = to_snake(snake)
            hint = f"; try {suggestion}" if suggestion else ""
            raise AddModelError(f"--name {snake!r} is not a snake_case name (letters a-z, digits, single underscores){hint}")  # fmt: skip
        if keyword.iskeyword(snake):
            raise AddModelError(f"--name {snake!r} is a keyword of Python; try {snake}_model")
        if hasattr(builtins, snake):
            raise AddModelError(f"--name {snake!r} is a builtin of Python; try {snake}_model")
        if _WINDOWS_DEVICE.fullmatch(snake):
            raise AddModelError(f"--name {snake!r} is the name of a device on Windows, where no folder can be called that; try {snake}_model")  # fmt: skip
        usual = "".join(word[:1].upper() + word[1:] for word in snake.split("_"))
        if camel is not None and not (_CAMEL_NAME.fullmatch(camel) and _letters(camel) == _letters(snake)):
            raise AddModelError(f"--class-name {camel[:_LONGEST]!r} does not spell {snake}; choose its letters in the casing of classes, such as {' or '.join(dict.fromkeys([usual, _with_capitals(snake)]))}")  # fmt: skip
        return cls(snake, camel or usual, camel or usual)


def _letters(name: str) -> str:
    return name.replace("_", "").lower()


def _with_capitals(snake: str) -> str:
    """Another way to write a name's classes: its last word as an abbreviation (`MyGPT`)."""
    *first, last = snake.split("_")
    return "".join([*(word[:1].upper() + word[1:] for word in first), last.upper()])


def to_snake(text: str) -> str:
    """The nearest valid snake_case name (`Brand-New BERT` -> `brand_new_bert`), or an empty string."""
    parts = [word.lower() for word in words(re.sub(r"[^A-Za-z0-9]+", "_", text))]
    while parts and not parts[0][0].isalpha():
        parts.pop(0)
    return "_".join(parts)


def words(identifier: str) -> list[str]:
    """Splits an identifier: `GPT2LMHeadModel` -> `["GPT2", "LM", "Head", "Model"]`."""
    return _WORD.findall(identifier)


def word_spans(identifier: str) -> list[tuple[int, int]]:
    """Where the words of an identifier start and end."""
    return [match.span() for match in _WORD.finditer(identifier)]


@dataclass(frozen=True)
class Renaming:
    """The renaming of one model's name into another's, casing by casing.

    Attributes:
        old: the name that is renamed.
        new: what it becomes.
        classes: the classes of the old model. A run of capitals may go on behind its name: that `MyGPTLMHeadModel` is
            one of `MyGPT`, its words do not tell.
    """

    old: ModelName
    new: ModelName
    classes: Set[str] = frozenset()

    def pairs(self) -> list[tuple[str, str]]:
        """Every way in which the old name is spelled, with what it becomes."""
        old, new = self.old, self.new
        spelled = [(old.camel, new.camel), (old.snake, new.snake), (old.upper, new.title), (old.upper, new.upper), (old.title, new.title), (old.kebab, new.kebab)]  # fmt: skip
        return [pair for pair in dict.fromkeys(spelled) if pair[0] != pair[1]]

    def identifier(self, identifier: str) -> str:
        """Renames the words of one identifier that spell the old name: `BertModel` -> `BrandNewBertModel`."""
        return self._identifier(identifier, hyphenated=False)

    def text(self, text: str, keep: Set[str] = frozenset()) -> str:
        """Renames every identifier of a text, code and prose alike, but those in `keep`, which are somebody else's."""

        def renamed(match: re.Match[str]) -> str:
            token = match.group()
            if token == self.old.title:
                return self.new.title
            if token == self.old.kebab and "-" in token:
                return self.new.kebab
            if token in keep:
                return token
            return self._identifier(token, _is_hyphenated(text, match.start(), match.end()))

        return self._tokens.sub(renamed, text)

    @cached_property
    def _tokens(self) -> re.Pattern[str]:
        # Spellings that are no identifiers (`GPT-2`, `brand-new-bert`) are tokens of their own, tried first.
        spelled = [name for name in (self.old.title, self.old.kebab) if not re.fullmatch(_IDENTIFIER, name)]
        alternatives = [rf"(?<![A-Za-z0-9_]){re.escape(name)}(?![A-Za-z0-9_])" for name in spelled]
        return re.compile("|".join([*alternatives, _IDENTIFIER]))

    @cached_property
    def _spellings(self) -> re.Pattern[str]:
        spelled = sorted({self.old.camel, self.old.snake, self.old.upper}, key=len, reverse=True)
        return re.compile("|".join(map(re.escape, spelled)))

    def _identifier(self, identifier: str, hyphenated: bool) -> str:
        if not self._spellings.search(identifier):
            return identifier
        spans = [match.span() for match in _WORD.finditer(identifier)]
        starts, ends = {start for start, _ in spans}, {end for _, end in spans}

        def renamed(match: re.Match[str]) -> str:
            ends_here = match.end() in ends or (match.end(), identifier) in self._run_on
            if match.start() not in starts or not ends_here or self._is_other(match, identifier):
                return match.group()
            return self._spelling(match.group(), identifier, hyphenated)

        return self._spellings.sub(renamed, identifier)

    @cached_property
    def _run_on(self) -> frozenset[tuple[int, str]]:
        """The model's classes whose name goes on with capitals behind the model's, each with where that ends."""
        found = (re.match(rf"_*{re.escape(self.old.camel)}(?=[A-Z])", name) for name in self.classes)
        return frozenset((match.end(), match.string) for match in found if match is not None)

    def _is_other(self, match: re.Match[str], identifier: str) -> bool:
        """Whether the name ends that of another model, as prose writes it: `DistilBERT`, `mT5`."""
        before = identifier[: match.start()]
        if not before[-1:].islower():
            return False
        return len(before) == 1 or match.group() not in (self.old.camel, self.old.snake)

    def _spelling(self, spelling: str, identifier: str, hyphenated: bool) -> str:
        """The new name in the casing that the place asks for, where one spelling stands for several casings."""
        old, new = self.old, self.new
        if spelling == old.upper and "_" in identifier and not any(map(str.islower, identifier)):
            return new.upper
        if spelling == old.camel:
            return new.camel
        if spelling == old.snake:
            return new.kebab if hyphenated else new.snake
        return new.title


def _is_hyphenated(text: str, start: int, end: int) -> bool:
    """Whether the token is a part of something like `bert-base`, rather than of a subtraction or an arrow."""
    before, after = text[max(start - 2, 0) : start], text[end : end + 2]
    return bool(re.fullmatch(r"\w-", before) or re.fullmatch(r"-\w", after))
