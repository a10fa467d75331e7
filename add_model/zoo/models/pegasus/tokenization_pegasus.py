"""Tokenizer of Pegasus: a Unigram vocabulary of SentencePiece behind tokens of its own for pretraining."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Regex, Tokenizer
from tokenizers.normalizers import Replace
from tokenizers.normalizers import Sequence as NormalizerSequence
from tokenizers.processors import TemplateProcessing

from ...sentencepiece_files import Piece, SentencePieceModel
from ...tokenization_sentencepiece import (
    SentencePieceTokenizer,
    build_normalizer,
    build_sentencepiece_backend,
    to_sentencepiece_model,
)


class PegasusTokenizer(SentencePieceTokenizer):
    """Unigram tokenizer of Pegasus, as in https://arxiv.org/abs/1912.08777.

    One text becomes `text </s>`, a pair `first second </s>`. The original code keeps the ids below 105 for its own tokens:
    padding and end, `<mask_1>` in place of a sentence that is to be written ("[MASK1]" in figure 1 of the paper),
    `<mask_2>` in place of a masked token ("[MASK2]"), and reserves. The pieces of a published `spiece.model`, which has
    only the first two of them, move up by `offset` ids.

    Args:
        vocab: path of a `spiece.model`, what such a file holds, or every piece and its score in the order of the ids.
            Left out, the vocabulary holds the special tokens only, as a start for `train_new_from_iterator`.
        pad_token, eos_token, unk_token, mask_token: the special tokens.
        mask_token_sent: the token in place of a sentence.
        offset: by how much the ids of pieces are greater than their places in the published file, 2 or more.
        extra_special_tokens: further special tokens; the sentence's mask and the reserves are added unless they are
            among them.
        additional_special_tokens: the older name of `extra_special_tokens`.
        backend: a finished pipeline in place of `vocab`.
        **options: see `PreTrainedTokenizer`.

    Raises:
        FileNotFoundError: there is no such `spiece.model`.
        ValueError: the file is no model of SentencePiece or lacks the unknown token, or `offset` is less than 2.
    """

    def __init__(
        self,
        vocab: str | Path | SentencePieceModel | Sequence[tuple[str, float]] | None = None,
        *,
        pad_token: str | AddedToken = "<pad>",
        eos_token: str | AddedToken = "</s>",
        unk_token: str | AddedToken = "<unk>",
        mask_token: str | AddedToken = "<mask_2>",
        mask_token_sent: str = "<mask_1>",
        offset: int = 103,
        extra_special_tokens: Sequence[str | AddedToken] | None = None,
        additional_special_tokens: Sequence[str | AddedToken] | None = None,
        backend: Tokenizer | None = None,
        **options: Any,
    ) -> None:
        if offset < 2:
            raise ValueError(f"offset must be 2 or more, so that both masks have an id, not {offset}")
        self.mask_token_sent = mask_token_sent
        self.offset = offset
        reserves = [f"<unk_{index}>" for index in range(2, offset)]
        if backend is None:
            own = [str(pad_token), str(eos_token), mask_token_sent, str(mask_token), *reserves]
            model = to_sentencepiece_model(vocab, [*own, str(unk_token)])
            if mask_token_sent not in {piece.text for piece in model.pieces}:
                # The published file begins with the padding and the end of a text.
                model = model._replace(pieces=(*(Piece(token, 0.0) for token in own), *model.pieces[2:]))
            normalizer = build_normalizer(model.character_map, single_spaces=True)
            if not model.character_map:
                # The map of a published vocabulary makes a space of every line's end.
                normalizer = NormalizerSequence([Replace("\n", " "), Replace(Regex(" {2,}"), " ")])
            backend = build_sentencepiece_backend(model, str(unk_token), normalizer=normalizer, split_whitespace=False)
        further = list(extra_special_tokens or additional_special_tokens or ())
        known = {str(token) for token in further}
        super().__init__(
            backend,
            pad_token=pad_token,
            eos_token=eos_token,
            unk_token=unk_token,
            mask_token=mask_token,
            mask_token_sent=mask_token_sent,
            offset=offset,
            extra_special_tokens=[*further, *(token for token in (mask_token_sent, *reserves) if token not in known)],
            **options,
        )

    def build_post_processor(self) -> TemplateProcessing:
        """Return the templates of one text and of a pair, whose token types are all 0."""
        end = f"{self.eos_token}"
        return TemplateProcessing(
            single=["$A", end], pair=["$A", "$B", end], special_tokens=[(end, self.eos_token_id)]
        )
