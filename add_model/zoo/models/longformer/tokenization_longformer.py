"""Tokenizer of Longformer, which is RoBERTa's: byte-level byte-pair encoding, in which every text can be written."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar

from tokenizers import AddedToken, Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.processors import ByteLevel as OffsetTrimming
from tokenizers.processors import Sequence as ProcessorSequence
from tokenizers.processors import TemplateProcessing

from ...tokenization_utils import PreTrainedTokenizer


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


# Copied from add_model.zoo.models.gpt2.tokenization_gpt2.build_byte_level_backend
def build_byte_level_backend(
    vocab: str | Path | dict[str, int],
    merges: str | Path | Sequence[str | Sequence[str]],
    add_prefix_space: bool,
) -> Tokenizer:
    """Return the pipeline of byte-level byte-pair encoding.

    Every byte of the UTF-8 text is written as one printable character, so that no text is unknown. A word takes the
    space before it along, and merges never cross words.
    """
    vocabulary = vocab if isinstance(vocab, dict) else read_vocabulary(vocab)
    merge_list = read_merges(merges) if isinstance(merges, (str, Path)) else merges
    backend = Tokenizer(BPE(vocabulary, split_merges(merge_list, vocabulary)))
    backend.pre_tokenizer = ByteLevel(add_prefix_space=add_prefix_space)
    backend.decoder = ByteLevelDecoder()
    return backend


# Copied from add_model.zoo.models.roberta.tokenization_roberta.RobertaTokenizer with RoBERTa->Longformer, Roberta->Longformer, 1907.11692->2004.05150
class LongformerTokenizer(PreTrainedTokenizer):
    """Byte-level BPE tokenizer of Longformer, as in https://arxiv.org/abs/2004.05150.

    One text becomes `<s> text </s>`, a pair `<s> first </s></s> second </s>`. The space before a word is part of its
    first token: a word at the begin of a text is another token than the same word further on. The mask token takes
    the space before it along.

    Args:
        vocab: path of a `vocab.json`, or the id of every token. Left out, the vocabulary holds the special tokens
            only, as a start for `train_new_from_iterator`.
        merges: path of a `merges.txt`, or the merges in order, each "first second" or a pair.
        bos_token, eos_token, sep_token, cls_token, unk_token, pad_token, mask_token: the special tokens.
            `cls_token` and `sep_token` are those that are put around a text.
        add_prefix_space: whether a text without a space at its begin gets one.
        trim_offsets: whether the offsets of a token leave out its space.
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
        bos_token: str | AddedToken = "<s>",
        eos_token: str | AddedToken = "</s>",
        sep_token: str | AddedToken = "</s>",
        cls_token: str | AddedToken = "<s>",
        unk_token: str | AddedToken = "<unk>",
        pad_token: str | AddedToken = "<pad>",
        mask_token: str | AddedToken = "<mask>",
        add_prefix_space: bool = False,
        trim_offsets: bool = True,
        backend: Tokenizer | None = None,
        **options: Any,
    ) -> None:
        self.add_prefix_space = add_prefix_space
        self.trim_offsets = trim_offsets
        if backend is None:
            if (vocab is None) != (merges is None):
                raise ValueError("vocab and merges belong together; pass both")
            if vocab is None:
                # The order of the published vocabulary.
                special_tokens = [str(token) for token in (cls_token, pad_token, sep_token, unk_token, mask_token)]
                vocab = {token: index for index, token in enumerate(dict.fromkeys(special_tokens))}
            backend = build_byte_level_backend(vocab, merges or [], add_prefix_space)
            if isinstance(mask_token, str):
                mask_token = AddedToken(mask_token, lstrip=True, normalized=False, special=True)
        super().__init__(
            backend,
            bos_token=bos_token,
            eos_token=eos_token,
            sep_token=sep_token,
            cls_token=cls_token,
            unk_token=unk_token,
            pad_token=pad_token,
            mask_token=mask_token,
            add_prefix_space=add_prefix_space,
            trim_offsets=trim_offsets,
            **options,
        )

    def build_post_processor(self) -> ProcessorSequence:
        """Return the templates of one text and of a pair, whose token types are all 0, behind the trimmed offsets."""
        templates = TemplateProcessing(
            single=f"{self.cls_token}:0 $A:0 {self.sep_token}:0",
            pair=f"{self.cls_token}:0 $A:0 {self.sep_token}:0 {self.sep_token}:0 $B:0 {self.sep_token}:0",
            special_tokens=[(self.cls_token, self.cls_token_id), (self.sep_token, self.sep_token_id)],
        )
        trimming = OffsetTrimming(add_prefix_space=self.add_prefix_space, trim_offsets=self.trim_offsets)
        return ProcessorSequence([trimming, templates])

    @classmethod
    def align_backend(cls, backend: Tokenizer, options: dict[str, Any]) -> dict[str, Any]:
        """Make the pipeline in `tokenizer.json` follow the options; see `PreTrainedTokenizer`."""
        settled = dict(options)
        if isinstance(backend.pre_tokenizer, ByteLevel):
            settled.setdefault("add_prefix_space", backend.pre_tokenizer.add_prefix_space)
            backend.pre_tokenizer.add_prefix_space = settled["add_prefix_space"]
        return settled
