"""Tokenizer of BLOOM: byte-level byte-pair encoding of words that are cut at spaces and punctuation only."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar

from tokenizers import AddedToken, Regex, Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel, Split
from tokenizers.pre_tokenizers import Sequence as PreTokenizerSequence
from tokenizers.processors import TemplateProcessing

from ...tokenization_utils import PreTrainedTokenizer

# What is a word: it may begin with a space, and holds neither whitespace nor punctuation. Published so, in the syntax of
# Oniguruma, where the inner brackets are a part of the set around them.
WORD = r" ?[^(\s|[.,!?…。，、।۔،])]+"


# Copied from add_model.zoo.models.gpt2.tokenization_gpt2.read_vocabulary
def read_vocabulary(path: str | Path) -> dict[str, int]:
    """Return the id of every token in a `vocab.json`.

    Raises:
        ValueError: the file does not map tokens to ids.
    """
    try:
        vocabulary = json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is not valid JSON: {error}") from error
    if not isinstance(vocabulary, dict) or not all(isinstance(index, int) for index in vocabulary.values()):
        raise ValueError(f"{path} must map every token to its id")
    return vocabulary


# Copied from add_model.zoo.models.gpt2.tokenization_gpt2.read_merges
def read_merges(path: str | Path) -> list[str]:
    """Return the merges in a `merges.txt`: one a line, two tokens and a space between, the most frequent first."""
    with open(path, encoding="utf-8") as file:
        lines = [line.rstrip("\n") for line in file]
    return [line for line in lines if line and not line.startswith("#version")]


# Copied from add_model.zoo.models.gpt2.tokenization_gpt2.split_merges
def split_merges(merges: Iterable[str | Sequence[str]], vocabulary: dict[str, int]) -> list[tuple[str, str]]:
    """Return each merge as a pair of tokens.

    Raises:
        ValueError: a merge does not join two tokens of the vocabulary into a third.
    """
    pairs = []
    for merge in merges:
        parts = merge.split(" ") if isinstance(merge, str) else list(merge)
        if len(parts) != 2 or not {parts[0], parts[1], parts[0] + parts[1]} <= vocabulary.keys():
            raise ValueError(f"the merge {merge!r} does not join two tokens of the vocabulary into a third")
        pairs.append((parts[0], parts[1]))
    return pairs


def build_byte_level_backend(
    vocab: str | Path | dict[str, int], merges: str | Path | Sequence[str | Sequence[str]]
) -> Tokenizer:
    """Return the pipeline of byte-level byte-pair encoding.

    Every byte of the UTF-8 text is written as one printable character, so that no text is unknown. A word takes the
    space before it along, and merges never cross words.
    """
    vocabulary = vocab if isinstance(vocab, dict) else read_vocabulary(vocab)
    merge_list = read_merges(merges) if isinstance(merges, (str, Path)) else merges
    backend = Tokenizer(BPE(vocabulary, split_merges(merge_list, vocabulary)))
    backend.pre_tokenizer = PreTokenizerSequence(
        [Split(Regex(WORD), behavior="isolated"), ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    backend.decoder = ByteLevelDecoder()
    return backend


class BloomTokenizer(PreTrainedTokenizer):
    """Byte-level BPE tokenizer of BLOOM (section 3.1.2 of https://arxiv.org/abs/2211.05100).

    Texts are cut into words by whitespace and punctuation of many scripts, and not by English contractions or digits.
    The space before a word is part of its first token. Text gets no special tokens unless `add_bos_token` or
    `add_eos_token` asks for them.

    Args:
        vocab: path of a `vocab.json`, or the id of every token. Left out, the vocabulary holds the special tokens
            only, as a start for `train_new_from_iterator`.
        merges: path of a `merges.txt`, or the merges in order, each "first second" or a pair.
        unk_token, bos_token, eos_token, pad_token: the special tokens.
        add_bos_token, add_eos_token: whether each text begins, or ends, with the special token.
        backend: a finished pipeline in place of `vocab` and `merges`.
        **options: see `PreTrainedTokenizer`.

    Raises:
        FileNotFoundError: there is no such `vocab.json` or `merges.txt`.
        ValueError: the files do not hold a vocabulary and its merges, or only one of the two is given.
    """

    vocabulary_files: ClassVar[dict[str, str]] = {"vocab": "vocab.json", "merges": "merges.txt"}

    def __init__(
        self,
        vocab: str | Path | dict[str, int] | None = None,
        merges: str | Path | Sequence[str | Sequence[str]] | None = None,
        *,
        unk_token: str | AddedToken | None = "<unk>",
        bos_token: str | AddedToken | None = "<s>",
        eos_token: str | AddedToken | None = "</s>",
        pad_token: str | AddedToken | None = "<pad>",
        add_bos_token: bool = False,
        add_eos_token: bool = False,
        backend: Tokenizer | None = None,
        **options: Any,
    ) -> None:
        self.add_bos_token = add_bos_token
        self.add_eos_token = add_eos_token
        if backend is None:
            if (vocab is None) != (merges is None):
                raise ValueError("vocab and merges belong together; pass both")
            if vocab is None:
                # The order of the published vocabulary.
                special_tokens = (unk_token, bos_token, eos_token, pad_token)
                names = dict.fromkeys(str(token) for token in special_tokens if token is not None)
                vocab = {token: index for index, token in enumerate(names)}
            backend = build_byte_level_backend(vocab, merges or [])
        super().__init__(
            backend,
            unk_token=unk_token,
            bos_token=bos_token,
            eos_token=eos_token,
            pad_token=pad_token,
            add_bos_token=add_bos_token,
            add_eos_token=add_eos_token,
            **options,
        )

    # Copied from add_model.zoo.models.gpt2.tokenization_gpt2.GPT2Tokenizer.build_post_processor
    def build_post_processor(self) -> TemplateProcessing:
        """Return the templates of one text and of a pair, with their token types behind the colons."""
        begin = [self.bos_token] if self.add_bos_token and self.bos_token is not None else []
        end = [self.eos_token] if self.add_eos_token and self.eos_token is not None else []
        first = [f"{token}:0" for token in [*begin, "$A", *end]]
        second = [f"{token}:1" for token in [*begin, "$B", *end]]
        special_tokens = [(token, self.backend.token_to_id(token)) for token in dict.fromkeys([*begin, *end])]
        return TemplateProcessing(single=first, pair=[*first, *second], special_tokens=special_tokens)

    @classmethod
    def align_backend(cls, backend: Tokenizer, options: dict[str, Any]) -> dict[str, Any]:
        """Make the pipeline in `tokenizer.json` follow the options; see `PreTrainedTokenizer`."""
        if "add_bos_token" in options or "add_eos_token" in options:
            backend.post_processor = None
        return dict(options)
