"""Tokenizer of XLNet: a Unigram vocabulary of SentencePiece, with the special tokens at the end of a text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from tokenizers import AddedToken, Tokenizer
from tokenizers.normalizers import Lowercase, StripAccents
from tokenizers.processors import TemplateProcessing

from ...sentencepiece_files import SentencePieceModel
from ...tokenization_sentencepiece import (
    SentencePieceTokenizer,
    build_normalizer,
    build_sentencepiece_backend,
    character_map_of,
    normalizer_steps,
    to_sentencepiece_model,
)

# The end of a paragraph and of a document, which pretraining puts into its texts.
EXTRA_SPECIAL_TOKENS = ("<eop>", "<eod>")


class XLNetTokenizer(SentencePieceTokenizer):
    """Unigram tokenizer of XLNet, as in https://arxiv.org/abs/1906.08237.

    One text becomes `text <sep> <cls>`, a pair `first <sep> second <sep> <cls>`: the token that stands for the whole text
    comes last, as it would in a language model. Padding goes to the left, so that it stays last. The first text has the
    token type 0, the second 1, `<cls>` 2 and padding 3, as in the original's preparation of data.

    Args:
        vocab: path of a `spiece.model`, what such a file holds, or every piece and its score in the order of the ids.
            Left out, the vocabulary holds the special tokens only, as a start for `train_new_from_iterator`.
        do_lower_case: write capitals small.
        keep_accents: leave accents on their letters; the published models take them off.
        bos_token, eos_token, unk_token, sep_token, pad_token, cls_token, mask_token: the special tokens.
        extra_special_tokens: further special tokens; the ends of paragraphs and documents when missing.
        additional_special_tokens: the older name of `extra_special_tokens`.
        padding_side: where padding goes.
        backend: a finished pipeline in place of `vocab`.
        **options: see `PreTrainedTokenizer`.

    Raises:
        FileNotFoundError: there is no such `spiece.model`.
        ValueError: the file is no model of SentencePiece, or it lacks the unknown token.
    """

    pad_token_type_id: ClassVar[int] = 3

    def __init__(
        self,
        vocab: str | Path | SentencePieceModel | Sequence[tuple[str, float]] | None = None,
        *,
        do_lower_case: bool = False,
        keep_accents: bool = False,
        bos_token: str | AddedToken = "<s>",
        eos_token: str | AddedToken = "</s>",
        unk_token: str | AddedToken = "<unk>",
        sep_token: str | AddedToken = "<sep>",
        pad_token: str | AddedToken = "<pad>",
        cls_token: str | AddedToken = "<cls>",
        mask_token: str | AddedToken = "<mask>",
        extra_special_tokens: Sequence[str | AddedToken] | None = None,
        additional_special_tokens: Sequence[str | AddedToken] | None = None,
        padding_side: str = "left",
        backend: Tokenizer | None = None,
        **options: Any,
    ) -> None:
        self.do_lower_case = do_lower_case
        self.keep_accents = keep_accents
        further = list(extra_special_tokens or additional_special_tokens or EXTRA_SPECIAL_TOKENS)
        if isinstance(mask_token, str):
            # It takes the space before it.
            mask_token = AddedToken(mask_token, lstrip=True, special=True, normalized=False)
        if backend is None:
            # In the order of the published vocabularies.
            special_tokens = (unk_token, bos_token, eos_token, cls_token, sep_token, pad_token, mask_token)
            model = to_sentencepiece_model(vocab, [str(token) for token in (*special_tokens, *reversed(further))])
            normalizer = build_normalizer(
                model.character_map,
                straight_quotes=True,
                strip_accents=not keep_accents,
                lowercase=do_lower_case,
            )
            backend = build_sentencepiece_backend(model, str(unk_token), normalizer=normalizer)
        super().__init__(
            backend,
            do_lower_case=do_lower_case,
            keep_accents=keep_accents,
            bos_token=bos_token,
            eos_token=eos_token,
            unk_token=unk_token,
            sep_token=sep_token,
            pad_token=pad_token,
            cls_token=cls_token,
            mask_token=mask_token,
            extra_special_tokens=further,
            padding_side=padding_side,
            **options,
        )

    def build_post_processor(self) -> TemplateProcessing:
        """Return the templates of one text and of a pair, with their token types."""
        separator, whole_text = f"{self.sep_token}", f"{self.cls_token}"
        return TemplateProcessing(
            single=f"$A:0 {separator}:0 {whole_text}:2",
            pair=f"$A:0 {separator}:0 $B:1 {separator}:1 {whole_text}:2",
            special_tokens=[(separator, self.sep_token_id), (whole_text, self.cls_token_id)],
        )

    @classmethod
    def align_backend(cls, backend: Tokenizer, options: dict[str, Any]) -> dict[str, Any]:
        """Make the text preparation in `tokenizer.json` follow the options; see `PreTrainedTokenizer`."""
        steps = list(normalizer_steps(backend))
        found = {
            "do_lower_case": any(isinstance(step, Lowercase) for step in steps),
            "keep_accents": not any(isinstance(step, StripAccents) for step in steps),
        }
        settled = {**found, **options}
        if any(settled[name] != value for name, value in found.items()):
            backend.normalizer = build_normalizer(
                character_map_of(backend),
                straight_quotes=True,
                strip_accents=not settled["keep_accents"],
                lowercase=settled["do_lower_case"],
            )
        return settled
