"""Tokenizer of T5: a Unigram vocabulary of SentencePiece with sentinels for the spans that are left out of a text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Tokenizer
from tokenizers.processors import TemplateProcessing

from ...sentencepiece_files import Piece, SentencePieceModel
from ...tokenization_sentencepiece import (
    SentencePieceTokenizer,
    build_normalizer,
    build_sentencepiece_backend,
    to_sentencepiece_model,
)


class T5Tokenizer(SentencePieceTokenizer):
    """Unigram tokenizer of T5, as in https://arxiv.org/abs/1910.10683.

    One text becomes `text </s>`, a pair `first </s> second </s>`. In pretraining, a sentinel stands for each span that is
    left out of the text (section 3.1.4 of the paper): `<extra_id_0>` for the first one. The original code numbers them
    from the end of the vocabulary down, so `<extra_id_0>` has the greatest id.

    Args:
        vocab: path of a `spiece.model`, what such a file holds, or every piece and its score in the order of the ids.
            Left out, the vocabulary holds the special tokens only, as a start for `train_new_from_iterator`.
        eos_token, unk_token, pad_token: the special tokens.
        extra_ids: number of sentinels. Those that the vocabulary lacks are put behind it.
        extra_special_tokens: further special tokens; the sentinels are added unless they are among them.
        additional_special_tokens: the older name of `extra_special_tokens`.
        backend: a finished pipeline in place of `vocab`.
        **options: see `PreTrainedTokenizer`.

    Raises:
        FileNotFoundError: there is no such `spiece.model`.
        ValueError: the file is no model of SentencePiece, it lacks the unknown token, or there are other sentinels among
            the special tokens than `extra_ids` says.
    """

    def __init__(
        self,
        vocab: str | Path | SentencePieceModel | Sequence[tuple[str, float]] | None = None,
        *,
        eos_token: str | AddedToken = "</s>",
        unk_token: str | AddedToken = "<unk>",
        pad_token: str | AddedToken = "<pad>",
        extra_ids: int = 100,
        extra_special_tokens: Sequence[str | AddedToken] | None = None,
        additional_special_tokens: Sequence[str | AddedToken] | None = None,
        backend: Tokenizer | None = None,
        **options: Any,
    ) -> None:
        self.extra_ids = extra_ids
        sentinels = [f"<extra_id_{index}>" for index in range(extra_ids)]
        further = list(extra_special_tokens or additional_special_tokens or ())
        named = [str(token) for token in further if str(token).startswith("<extra_id_")]
        if named and sorted(named) != sorted(sentinels):
            raise ValueError(f"extra_ids is {extra_ids}, but the special tokens hold {len(named)} other sentinels")
        if backend is None:
            model = to_sentencepiece_model(vocab, [str(token) for token in (pad_token, eos_token, unk_token)])
            known = {piece.text for piece in model.pieces}
            missing = tuple(Piece(token, 0.0) for token in reversed(sentinels) if token not in known)
            model = model._replace(pieces=model.pieces + missing)
            normalizer = build_normalizer(model.character_map)
            backend = build_sentencepiece_backend(model, str(unk_token), normalizer=normalizer)
        super().__init__(
            backend,
            eos_token=eos_token,
            unk_token=unk_token,
            pad_token=pad_token,
            extra_ids=extra_ids,
            extra_special_tokens=further if named else [*further, *sentinels],
            **options,
        )

    def get_sentinel_tokens(self) -> list[str]:
        """Return the sentinels, the one of the first span first."""
        return [f"<extra_id_{index}>" for index in range(self.extra_ids)]

    def get_sentinel_token_ids(self) -> list[int]:
        """Return the ids of the sentinels, the one of the first span first."""
        vocabulary = self.get_vocab()
        return [vocabulary[token] for token in self.get_sentinel_tokens()]

    def build_post_processor(self) -> TemplateProcessing:
        """Return the templates of one text and of a pair, whose token types are all 0."""
        end = f"{self.eos_token}"
        return TemplateProcessing(
            single=["$A", end], pair=["$A", end, "$B", end], special_tokens=[(end, self.eos_token_id)]
        )
