"""The base class of tokenizers whose vocabulary comes from SentencePiece (https://arxiv.org/abs/1808.06226).

SentencePiece writes a space as a character of its own, so that ids turn back into text, and splits a text either into
the pieces whose probabilities have the greatest product (Unigram, https://arxiv.org/abs/1804.10959) or by merging pairs
(BPE, https://arxiv.org/abs/1508.07909).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

from tokenizers import AddedToken, Regex, Tokenizer
from tokenizers.decoders import ByteFallback, Fuse
from tokenizers.decoders import Metaspace as MetaspaceDecoder
from tokenizers.decoders import Replace as ReplaceDecoder
from tokenizers.decoders import Sequence as DecoderSequence
from tokenizers.decoders import Strip as StripDecoder
from tokenizers.models import BPE, Unigram
from tokenizers.normalizers import NFKC, NFKD, Lowercase, Nmt, Normalizer, Precompiled, Replace, StripAccents
from tokenizers.normalizers import Sequence as NormalizerSequence
from tokenizers.pre_tokenizers import Metaspace, PreTokenizer, WhitespaceSplit
from tokenizers.pre_tokenizers import Sequence as PreTokenizerSequence

from .sentencepiece_files import (
    BYTE,
    CONTROL,
    NORMAL,
    UNKNOWN,
    Piece,
    SentencePieceModel,
    read_sentencepiece_model,
    to_single_precision,
    write_sentencepiece_model,
)
from .tokenization_utils import PreTrainedTokenizer

# How SentencePiece writes a space.
SPACE = "\u2581"

# Learned scores are multiples of 1/1024, which single precision holds exactly and a few decimal digits write: the score
# in a `tokenizer.json` is then that in a `spiece.model`, however often they are read and written.
SCORE_STEPS = 1024


def to_sentencepiece_model(
    vocab: str | Path | SentencePieceModel | Sequence[tuple[str, float]] | None, special_tokens: Sequence[str]
) -> SentencePieceModel:
    """Return what a tokenizer was given as its vocabulary.

    Args:
        vocab: path of a `spiece.model`, what such a file holds, or every piece and its score in the order of the ids.
            Left out, the vocabulary holds the special tokens only.
        special_tokens: the special tokens in the order of their ids, for a vocabulary that is left out.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is no model of SentencePiece.
    """
    if isinstance(vocab, SentencePieceModel):
        return vocab
    if isinstance(vocab, (str, Path)):
        return read_sentencepiece_model(vocab)
    scores = [(token, 0.0) for token in dict.fromkeys(special_tokens)] if vocab is None else vocab
    return SentencePieceModel(tuple(Piece(text, score) for text, score in scores))


def build_normalizer(
    character_map: bytes = b"",
    *,
    straight_quotes: bool = False,
    nmt_nfkc: bool = False,
    strip_accents: bool = False,
    lowercase: bool = False,
    single_spaces: bool = False,
) -> NormalizerSequence | None:
    """Return what a text goes through before it is split, in this order; `None` if that is nothing.

    Args:
        character_map: the map of a published vocabulary, which stands behind accents and capitals.
        straight_quotes: write two backquotes or two apostrophes as one quotation mark.
        nmt_nfkc: what SentencePiece does unless told otherwise: drop control characters, make every space the same, and
            write compatible characters alike. Only for new vocabularies: the map of a published one includes it.
        strip_accents: take accents off.
        lowercase: write capitals small.
        single_spaces: make one space of several.
    """
    steps: list[Normalizer] = []
    if straight_quotes:
        steps += [Replace("``", '"'), Replace("''", '"')]
    if nmt_nfkc:
        steps += [Nmt(), NFKC()]
    if strip_accents:
        steps += [NFKD(), StripAccents()]
    if lowercase:
        steps.append(Lowercase())
    if character_map:
        steps.append(Precompiled(character_map))
    if single_spaces:
        steps.append(Replace(Regex(" {2,}"), " "))
    return NormalizerSequence(steps) if steps else None


def build_sentencepiece_backend(
    model: SentencePieceModel,
    unk_token: str,
    *,
    normalizer: Normalizer | None = None,
    add_prefix_space: bool = True,
    split_whitespace: bool = True,
) -> Tokenizer:
    """Return the pipeline of a vocabulary.

    Args:
        model: the vocabulary; its control pieces become special tokens.
        unk_token: what stands for text that the vocabulary lacks.
        normalizer: what a text goes through first, the vocabulary's own map included; see `build_normalizer`.
        add_prefix_space: whether a text without a space at its begin gets one.
        split_whitespace: whether white space of any kind and length counts as one space, and is dropped at the ends.

    Raises:
        ValueError: the vocabulary lacks the unknown token.
    """
    texts = [piece.text for piece in model.pieces]
    if unk_token not in texts:
        raise ValueError(f"the vocabulary lacks the unknown token {unk_token!r}; add it, or pass another unk_token")
    backend = Tokenizer(_split_by_algorithm(model, texts, unk_token))
    if normalizer is not None:
        backend.normalizer = normalizer
    scheme = "always" if add_prefix_space else "never"
    words: PreTokenizer = Metaspace(replacement=SPACE, prepend_scheme=scheme)
    backend.pre_tokenizer = PreTokenizerSequence([WhitespaceSplit(), words]) if split_whitespace else words
    backend.decoder = MetaspaceDecoder(replacement=SPACE, prepend_scheme=scheme)
    if model.byte_fallback:
        spaces = [ReplaceDecoder(SPACE, " "), ByteFallback(), Fuse()]
        backend.decoder = DecoderSequence([*spaces, StripDecoder(" ", left=1)] if add_prefix_space else spaces)
    control = [piece.text for piece in model.pieces if piece.kind == CONTROL]
    backend.add_special_tokens([AddedToken(text, normalized=False, special=True) for text in control])
    return backend


def _split_by_algorithm(model: SentencePieceModel, texts: list[str], unk_token: str) -> Unigram | BPE:
    if model.algorithm == "unigram":
        scores = [(piece.text, piece.score) for piece in model.pieces]
        return Unigram(scores, unk_id=texts.index(unk_token), byte_fallback=model.byte_fallback)
    vocabulary = {text: index for index, text in enumerate(texts)}
    return BPE(vocabulary, merges_of(model), unk_token=unk_token, fuse_unk=True, byte_fallback=model.byte_fallback)


def merges_of(model: SentencePieceModel) -> list[tuple[str, str]]:
    """Return the pairs that BPE merges, the first to be merged first.

    SentencePiece keeps no list of them: two neighbours are merged if what they make is a piece, and the higher its score
    the sooner (`src/bpe_model.cc`). Only pieces of text are merged and made; a special token is no concatenation.
    """
    pieces = {piece.text: piece.score for piece in model.pieces if piece.kind not in (UNKNOWN, CONTROL, BYTE)}
    merges = [
        (-score, -cut, text[:cut], text[cut:])
        for text, score in pieces.items()
        for cut in range(1, len(text))
        if text[:cut] in pieces and text[cut:] in pieces
    ]
    return [(first, second) for *_, first, second in sorted(merges, key=lambda merge: merge[:2])]


def normalizer_steps(backend: Tokenizer) -> Iterator[Normalizer]:
    """Yield what a text goes through in a pipeline before it is split, one after the other."""
    if isinstance(backend.normalizer, NormalizerSequence):
        yield from (backend.normalizer[index] for index in range(len(backend.normalizer)))
    elif backend.normalizer is not None:
        yield backend.normalizer


def character_map_of(backend: Tokenizer) -> bytes:
    """Return the compiled map of characters in a pipeline, such as a published `tokenizer.json` has; empty if none."""
    # The map itself can only be read from the text of the pipeline, which is long: it holds the whole vocabulary.
    for step in normalizer_steps(backend):
        if isinstance(step, Precompiled):
            content = json.loads(step.__getstate__())
            return base64.b64decode(content["precompiled_charsmap"])
    return b""


class SentencePieceTokenizer(PreTrainedTokenizer):
    """A tokenizer that keeps its vocabulary in a `spiece.model`; see `PreTrainedTokenizer`.

    A subclass turns its `vocab` into a `SentencePieceModel` with `to_sentencepiece_model`, and that into a pipeline with
    `build_sentencepiece_backend`. A model whose ids differ from the places in the published file rearranges the pieces
    in between, and leaves them alone where that was done before: what is saved here is as rearranged.
    """

    vocabulary_files: ClassVar[dict[str, str]] = {"vocab": "spiece.model"}

    def sentencepiece_model(self) -> SentencePieceModel:
        """Return the vocabulary of this tokenizer, without the tokens that were added to it.

        Raises:
            ValueError: the pipeline has another kind of vocabulary.
        """
        model = json.loads(self.backend.to_str())["model"]
        return self._with_kinds(model, character_map_of(self.backend))

    def _with_kinds(self, model: dict[str, Any], character_map: bytes) -> SentencePieceModel:
        """Return the model in a `tokenizer.json` as a vocabulary whose pieces say what they are for."""
        if model["type"] == "Unigram":
            scores = [(text, to_single_precision(score)) for text, score in model["vocab"]]
        elif model["type"] == "BPE":
            ranks: dict[str, int] = {}
            for rank, (first, second) in enumerate(model["merges"]):
                ranks.setdefault(first + second, rank)
            in_order = sorted(model["vocab"], key=model["vocab"].__getitem__)
            # A character that nothing is merged into comes behind every merge.
            scores = [(text, float(-ranks.get(text, len(ranks)))) for text in in_order]
        else:
            raise ValueError(f"a vocabulary of SentencePiece is Unigram or BPE, not {model['type']}")
        byte_fallback = bool(model.get("byte_fallback"))
        special = set(self.all_special_tokens)

        def kind(text: str) -> int:
            if text == self.unk_token:
                return UNKNOWN
            if text in special:
                return CONTROL
            return BYTE if byte_fallback and len(text) == 6 and text.startswith("<0x") else NORMAL

        pieces = tuple(Piece(text, score, kind(text)) for text, score in scores)
        return SentencePieceModel(pieces, model["type"].lower(), character_map, byte_fallback)

    def save_vocabulary(self, folder: Path) -> list[Path]:
        """Write the vocabulary into a folder, and return the path of its file."""
        path = folder / self.vocabulary_files["vocab"]
        write_sentencepiece_model(path, self.sentencepiece_model())
        return [path]

    def _vocabulary_arguments(self, learned: dict[str, Any]) -> dict[str, Any]:
        if learned["type"] == "Unigram":
            learned["vocab"] = [(text, round(score * SCORE_STEPS) / SCORE_STEPS) for text, score in learned["vocab"]]
        return {"vocab": self._with_kinds(learned, character_map_of(self.backend))}
