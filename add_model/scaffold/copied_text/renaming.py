"""The renaming of a model folder into another: whole words that are the folder's own, and nothing that comes from elsewhere.

What a word means is told from the folder's own code. Names that it defines are renamed wherever the model's name stands
in them; names that it imports are kept; of all others only those that start as its classes do are its own, unless they
start as those of another model do (`CLIPSegModel` is none of CLIP's). In lower case the model's name is often a word of
the language, or of somebody's interface (`clip`, `align`, `is_encoder_decoder`): there it is renamed as a model type in
quotes, as a folder or module, and as an attribute that the folder's code assigns.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath

from add_model.names import ModelName, word_spans
from add_model.scaffold.copied_text.model_folder import ModelFolder

_ADDRESS = r"https?://[^\s\"'<>)\]`]+"
_COMPOUND = r"[A-Za-z0-9_]+(?:[-/][A-Za-z0-9_.]+)+"
_IDENTIFIER = r"[A-Za-z0-9_]+"
_TOKEN = re.compile(rf"(?P<address>{_ADDRESS})|(?P<compound>{_COMPOUND})|(?P<identifier>{_IDENTIFIER})")
_WORD = re.compile(r"[^\W\d]\w*")
_FRAMEWORK = re.compile(r"_*(?:TF|Flax)?(?=[A-Z])|_*")
_QUOTES = "\"'`"
_LOADED = re.compile(r"from_pretrained\(\s*[\"']$")
# `BERT-based`, but neither `Llama-2` nor `CLIP-ViT-B`, which name checkpoints.
_ADJECTIVE = re.compile(r"([A-Z]\w*)(-[a-z]+)")
# What a name is taken from, and a decorator that is given a word; so much before a word is looked at for either.
_OWNER = re.compile(r"(?<![\w.])(\w+)(?:\.\w+)*\.$")
_DECORATOR = re.compile(r"(?m)^[ \t]*@(?:\w+\.)*(\w+)\(\s*(?:[\"'][\w.-]+[\"'],\s*)*[\"']$")
_BEFORE = 120


@dataclass(frozen=True)
class FolderRenaming:
    """The renaming of a reference's folder.

    Attributes:
        reference: the folder.
        new: the new model's name.
        given: names that are not this renaming's to make, with what becomes of them: those of files that are not
            copied stay the reference's, or give way to what stands for them.
        is_type: whether the model's name is a type that it is known by, in quotes and as an attribute. Where it is none, it
            may be what a parameter is called, too.
    """

    reference: ModelFolder
    new: ModelName
    given: Mapping[str, str] = field(default_factory=dict)
    is_type: bool = True

    @cached_property
    def model_types(self) -> Mapping[str, str]:
        """The reference's registered model types -> those of the new model."""
        own = {*self.reference.model_types, *self.reference.aliases}
        return {model_type: new for model_type, new in self._spoken_types.items() if model_type in own}

    @cached_property
    def classes(self) -> Mapping[str, str]:
        """The public names that the folder defines, functions included -> their names in the new model."""
        return {name: self.identifier(name) for name in sorted(self.reference.classes - self.given.keys())}

    @cached_property
    def modules(self) -> Mapping[str, str]:
        """The names of the folder's modules, those that are not copied included -> their new names."""
        files = [*(file.path for file in self.reference.files), *self.reference.not_copied]
        return {path.stem: self._by_words(path.stem) for path in files if path.stem != "__init__"}

    @cached_property
    def attributes(self) -> frozenset[str]:
        """The model's name in lower case, where the folder's code assigns an attribute of that name."""
        return frozenset(self._snakes) & self.reference.vocabulary.attributes if self.is_type else frozenset()

    def path(self, path: PurePosixPath) -> PurePosixPath:
        """The new path of a file, both within their model's folder."""
        return path.with_name(f"{self.modules.get(path.stem, path.stem)}{path.suffix}")

    def rename_text(self, text: str) -> str:
        """Renames what is the model's own in a text; code and prose alike, line by line the same."""

        def renamed(match: re.Match[str]) -> str:
            token = match.group()
            if match.lastgroup == "address" or not self._hint.search(token):
                return token
            return self._compound(match, text) if match.lastgroup == "compound" else self._in_text(match, text)

        return _relevelled(_TOKEN.sub(renamed, text), self.reference.folder)

    def identifier(self, name: str) -> str:
        """Renames an identifier, without a look at what stands around it."""
        if name in self.given:
            return self.given[name]
        if name in self._explicit:
            return self._explicit[name]
        if name in self._foreign:
            return name
        lead = _FRAMEWORK.match(name).end()  # type: ignore[union-attr]
        stem = name[lead:]
        ends = {end for _, end in word_spans(stem)}
        for old, new in self._beginnings:
            length = len(old)
            # Docstrings spell classes in casings that nothing defines (`ViLTModel`).
            is_own = stem.startswith(old) or (not stem.islower() and stem.lower().startswith(old.lower()))
            is_word = length in ends or old.endswith("_")
            if is_own and is_word and not self._is_of_another(stem, length):
                return name[:lead] + new + stem[length:]
        return name

    def pairs(self) -> Sequence[tuple[str, str]]:
        """Every way in which the reference's name is spelled, with what it becomes: its names, the long ones first, and its model types."""
        return self._pairs

    @cached_property
    def _pairs(self) -> list[tuple[str, str]]:
        uppers = {snake.upper(): self.new.upper for snake in self._snakes}
        names = [*self._spelled.items(), *uppers.items(), *self._titles.items()]
        by_length = sorted(dict.fromkeys(names), key=lambda pair: -len(pair[0]))
        return [*by_length, *self._spoken_types.items()]

    @cached_property
    def _snakes(self) -> tuple[str, ...]:
        """How the model's name is spelled in lower case: as the folder, and as model types that say nothing else."""
        folder, camel = self.reference.folder.name, self.reference.name.camel
        meant = {_bare(folder), _bare(camel)}
        types = {_snake(model_type) for model_type in self.reference.vocabulary.model_types.values()}
        beginnings = {"_".join(parts[:count]) for parts in (name.split("_") for name in types) for count in range(1, len(parts) + 1)}  # fmt: skip
        return tuple(sorted({folder, *(name for name in beginnings if _bare(name) in meant)}, key=len, reverse=True))

    @cached_property
    def _beginnings(self) -> list[tuple[str, str]]:
        """What identifiers start with that are the model's, and what they start with afterwards; the long ones first."""
        camels = {spelling: self.new.camel for spelling in self.reference.spellings}
        uppers = {f"{snake.upper()}_": f"{self.new.upper}_" for snake in self._snakes}
        return sorted({**camels, **uppers}.items(), key=lambda pair: -len(pair[0]))

    @cached_property
    def _spoken_types(self) -> dict[str, str]:
        """Every model type that the folder's classes say and that is its own -> the new one."""
        types: dict[str, str] = {}
        for name, model_type in self.reference.vocabulary.model_types.items():
            renamed = self._by_words(_snake(model_type))
            if renamed != _snake(model_type):
                types[model_type] = renamed
            elif self.reference.registered.get(model_type) == name:
                is_main = name == f"{self.reference.spellings[0]}Config"
                types[model_type] = self.new.snake if is_main else f"{self.new.snake}_{renamed}"
        for alias in self.reference.aliases:
            # One may be called as a class is: a word cannot become two things, whatever it stands for.
            is_name = alias in self.reference.vocabulary.defined
            renamed = self.identifier(alias) if is_name else self._by_words(_snake(alias))
            if renamed not in (alias, _snake(alias), *types.values()):
                types[alias] = renamed
        return types

    @cached_property
    def _quoted(self) -> Mapping[str, str]:
        """What is renamed where it stands in quotes: model types, and the model's name."""
        names = {snake: self.new.snake for snake in self._snakes} if self.is_type else {}
        return {**names, **self._spoken_types}

    @cached_property
    def _foreign(self) -> frozenset[str]:
        vocabulary = self.reference.vocabulary
        return frozenset(vocabulary.foreign - vocabulary.defined - {self.reference.folder.name})

    @cached_property
    def _explicit(self) -> Mapping[str, str]:
        """Every name that the folder's code defines and that is renamed, modules included."""
        vocabulary = self.reference.vocabulary
        found = {name: self._defined(name) for name in vocabulary.defined - self.given.keys()}
        for name in self.reference.classes - self.given.keys():
            if found[name] == name:
                found[name] = self._led(name)
        found = {name: new for name, new in found.items() if name != new}
        taken = vocabulary.defined - found.keys()
        for name in sorted(found, key=lambda name: (self._rank(name), name)):
            # Two spellings of the reference's name may fall into one.
            while found[name] in taken:
                apart = found[name].replace(self.new.camel, f"{self.new.camel}_", 1)
                found[name] = apart if apart != found[name] else f"{apart}_"
            taken = {*taken, found[name]}
        # A variable that is called as the model and nothing else is left alone: the word may mean what it says.
        private = vocabulary.variables - vocabulary.outward - self._foreign
        variables = {name: new for name in private if "_" in name and (new := self._by_words(name)) != name}
        modules = {old: new for old, new in self.modules.items() if old != new}
        if not self.is_type:
            modules.pop(self.reference.folder.name, None)
        return {**variables, **found, **modules}

    def _defined(self, name: str) -> str:
        """The new name of something that the folder defines at a top level."""
        renamed = self._by_words(name)
        if renamed != name:
            return renamed
        lead = _FRAMEWORK.match(name).end()  # type: ignore[union-attr]
        stem = name[lead:]
        for spelling in self.reference.spellings:
            # A run of capitals may go on behind the name: `CLIPMLP`.
            if stem.startswith(spelling) and stem[len(spelling) :][:1].isupper() and not self._is_of_another(stem, len(spelling)):  # fmt: skip
                return name[:lead] + self.new.camel + stem[len(spelling) :]
        return name

    def _rank(self, name: str) -> int:
        spellings = self.reference.spellings
        return next((rank for rank, spelling in enumerate(spellings) if spelling in name), len(spellings))

    def _by_words(self, name: str) -> str:
        """Renames every word of a name that spells the model's, wherever in it it stands."""
        lead = _FRAMEWORK.match(name).end()  # type: ignore[union-attr]
        spans = word_spans(name[lead:])
        starts, ends = {start + lead for start, _ in spans}, {end + lead for _, end in spans}

        def renamed(match: re.Match[str]) -> str:
            start, end = match.span()
            if start not in starts or (end not in ends and not match.group().endswith("_")):
                return match.group()
            is_constant = "_" in name and name.isupper()
            return self.new.upper if is_constant else self._spelled[match.group()]

        return self._any_spelling.sub(renamed, name)

    @cached_property
    def _spelled(self) -> Mapping[str, str]:
        return {
            **{snake.upper(): self.new.camel for snake in self._snakes},
            **{snake: self.new.snake for snake in self._snakes},
            **{spelling: self.new.camel for spelling in self.reference.spellings},
        }

    @cached_property
    def _titles(self) -> Mapping[str, str]:
        """How prose calls the model -> how it calls the new one; a part of it keeps what its title ends with."""
        titles = [self.reference.name.title, *sorted(self.reference.titles)]
        leads = {title: next((lead for lead in titles if title.startswith(f"{lead}-")), title) for title in titles}
        return {title: self.new.title + title[len(lead) :] for title, lead in leads.items()}

    @cached_property
    def _any_spelling(self) -> re.Pattern[str]:
        return re.compile("|".join(re.escape(spelling) for spelling in sorted(self._spelled, key=len, reverse=True)))

    @cached_property
    def _hint(self) -> re.Pattern[str]:
        """What every token holds that may be renamed; most tokens of a text are passed over by it."""
        wanted = {
            *self._spelled,
            *self.given,
            *self._explicit,
            *self._quoted,
            self.reference.folder.name,
            *self._titles,
        }
        return re.compile("|".join(re.escape(text) for text in sorted(wanted, key=len, reverse=True)), re.IGNORECASE)

    def _led(self, name: str) -> str:
        """A public name that does not say whose it is, with the part that it shares with the model's name exchanged."""
        if name.isupper() or name.islower():
            return f"{self.new.upper if name.isupper() else self.new.snake}_{name.lstrip('_')}"
        lead = _FRAMEWORK.match(name).end()  # type: ignore[union-attr]
        stem, camel = name[lead:], self.reference.spellings[0]
        shared = [end for _, end in word_spans(stem) if camel.startswith(stem[:end]) and not self._is_of_another(stem, end)]  # fmt: skip
        rest = (stem[shared[-1] :].lstrip("_") if shared else "") or stem
        return name[:lead] + self.new.camel + rest

    def _is_of_another(self, stem: str, length: int) -> bool:
        """Whether a name that starts with the model's, of this length, starts with the longer one of another model."""
        return any(stem.startswith(other) and len(other) > length for other in self._others)

    @cached_property
    def _others(self) -> tuple[str, ...]:
        spellings = self.reference.spellings
        own = {name.removesuffix("Config") for name in self.reference.vocabulary.classes}
        stems = {name.removesuffix("Config") for name in self.reference.registered.values()} - own
        return tuple(stem for stem in stems if stem.startswith(tuple(words_of(spellings))))

    def _in_text(self, match: re.Match[str], text: str) -> str:
        token, (start, end) = match.group(), match.span()
        if self._is_of_another_package(text, start):
            return token
        if token in self._quoted and (_is_quoted(text, start, end) or _is_replaced(text, start, end)):
            return self._quoted[token]
        if token == self.reference.folder.name and _is_path(text, start, end):
            return self.new.snake
        if token in self.attributes:
            # A variable of that name keeps it; what follows its dot does not make it the beginning of a path.
            may_lead = token not in self.reference.vocabulary.variables
            return self.new.snake if self._is_member(text, start, end, may_lead) else token
        renamed = self.identifier(token)
        if renamed == token and token not in self._foreign and self._is_bare(token):
            return self.new.title
        return renamed

    def _is_of_another_package(self, text: str, start: int) -> bool:
        """Whether a word is taken from another package, or is what a decorator from elsewhere is to look up by it."""
        before = text[start - 1 : start] if start else ""
        if before == ".":
            owner = _OWNER.search(text, max(start - _BEFORE, 0), start)
            return owner is not None and owner[1] in self.reference.vocabulary.packages
        if not before or before not in _QUOTES:
            return False
        decorator = _DECORATOR.search(text, max(start - _BEFORE, 0), start)
        return decorator is not None and decorator[1] in self._foreign

    def _is_member(self, text: str, start: int, end: int, may_lead: bool) -> bool:
        """Whether a word stands as an attribute does in code, or, where it may, at the head of a dotted path."""
        before, leads = text[start - 1 : start] if start else "", text.startswith(".", end)
        behind = _WORD.match(text, end + 1) if leads else None
        if before in _QUOTES and before and behind is not None:
            # A path to a weight, and no name of a file.
            return behind.group() in self.reference.vocabulary.attributes
        if before and before in (".", "^", "\\", *_QUOTES):
            return True
        return may_lead and behind is not None

    def _is_bare(self, token: str) -> bool:
        """Whether a token is the model's name and nothing else, as prose may spell it."""
        return not token.islower() and token.lower() in self._bare_names

    @cached_property
    def _bare_names(self) -> frozenset[str]:
        names = {*self.reference.spellings, self.reference.name.camel, self.reference.name.title, *self._snakes}
        return frozenset(name.rstrip("_").lower() for name in names)

    def _compound(self, match: re.Match[str], text: str) -> str:
        token = match.group()
        if token in self._quoted and _is_quoted(text, *match.span()):
            return self._quoted[token]
        # A sentence may end behind it.
        title = token.rstrip(".")
        if title in self._titles:
            return token if _is_of_a_paper(text, *match.span()) else self._titles[title] + token[len(title) :]
        adjective = _ADJECTIVE.fullmatch(token)
        if adjective is not None and self._is_bare(adjective[1]):
            return f"{self.new.title}{adjective[2]}"

        def renamed(part: re.Match[str]) -> str:
            if part.group() == self.reference.folder.name and _is_path(token, *part.span()):
                return self.new.snake
            return self.given.get(part.group()) or self._explicit.get(part.group(), part.group())

        return re.sub(_IDENTIFIER, renamed, token)


def words_of(spellings: tuple[str, ...]) -> Iterator[str]:
    """The first word of each spelling: no other model's name that starts with none of them is of interest."""
    for spelling in spellings:
        yield spelling[: word_spans(spelling)[0][1]]


def _is_quoted(text: str, start: int, end: int) -> bool:
    """Whether a word stands in quotes, all by itself, and is not the name of a checkpoint that is loaded."""
    before, after = text[start - 1 : start] if start else "", text[end : end + 1]
    if not before or before not in _QUOTES or not after or after not in _QUOTES:
        return False
    return _LOADED.search(text, max(start - 40, 0), start) is None


def _is_replaced(text: str, start: int, end: int) -> bool:
    """Whether a word is one side of a marker's replacement: `OLD->NEW`, where code has spaces at an arrow."""
    return text.endswith("->", 0, start) or text.startswith("->", end)


def _is_of_a_paper(text: str, start: int, end: int) -> bool:
    """Whether a name begins the title of a paper: `[BLIP-2: Bootstrapping ...](...)`, `title={BLIP-2: ...}`."""
    return start > 0 and text[start - 1] in "[{" + _QUOTES and text.startswith(": ", end)


def _is_path(text: str, start: int, end: int) -> bool:
    """Whether a folder's name stands behind that of the folder above in a path, or behind the dots of an import."""
    above = ("models", "pipelines", "deprecated")
    return text.endswith((*(f"{each}{mark}" for each in above for mark in "./"), "from .."), 0, start)


def _relevelled(text: str, folder: PurePosixPath) -> str:
    """The text with its relative imports as they are one folder higher, where the reference lies below `deprecated`."""
    if len(folder.parts) == 1:
        return text
    above = folder.parts[0]

    def renamed(match: re.Match[str]) -> str:
        dots, module = match["dots"], match["module"]
        if len(dots) == 2:
            return f"{match['lead']}..{above}{f'.{module}' if module else ''} import"
        return f"{match['lead']}{dots[1:]}{module} import"

    text = re.sub(r"(?m)^(?P<lead>[ \t]*from )(?P<dots>\.{2,})(?P<module>[\w.]*) import", renamed, text)
    return re.sub(rf"\bmodels([./]){above}\1", r"models\1", text)


def _snake(model_type: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", model_type.lower()).strip("_")


def _bare(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())
