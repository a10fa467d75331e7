"""Tokenizer of ALBERT: a Unigram vocabulary of SentencePiece over text in small letters without accents."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from tokenizers import AddedToken, Tokenizer
from tokenizers.normalizers import Lowercase, Normalizer, StripAccents
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


def prepare_text(character_map: bytes, do_lower_case: bool, keep_accents: bool) -> Normalizer | None:
    """Return what a text goes through first, the vocabulary's own map of characters last."""
    return build_normalizer(
        character_map, straight_quotes=True, strip_accents=not keep_accents, lowercase=do_lower_case
    )


class AlbertTokenizer(SentencePieceTokenizer):
    """Unigram tokenizer of ALBERT, as in https://arxiv.org/abs/1909.11942 (section 4.1).

    One text becomes `[CLS] text [SEP]`, a pair `[CLS] first [SEP] second [SEP]`. Token types say which tokens belong to
    the second text; the model looks them up, so a call returns them.

    Args:
        vocab: path of a `spiece.model`, what such a file holds, or every piece and its score in the order of the ids.
            Left out, the vocabulary holds the special tokens only, as a start for `train_new_from_iterator`.
        do_lower_case: whether text is lower-cased.
        keep_accents: whether accents stay on their letters.
        bos_token, eos_token, unk_token, sep_token, pad_token, cls_token, mask_token: the special tokens.
        backend: a finished pipeline in place of `vocab`.
        **options: see `PreTrainedTokenizer`.

    Raises:
        FileNotFoundError: there is no such `spiece.model`.
        ValueError: the file is no model of SentencePiece, or it lacks the unknown token.
    """

    default_input_names: ClassVar[tuple[str, ...]] = ("input_ids", "token_type_ids", "attention_mask")

    def __init__(
        self,
        vocab: str | Path | SentencePieceModel | Sequence[tuple[str, float]] | None = None,
        *,
        do_lower_case: bool = True,
        keep_accents: bool = False,
        bos_token: str | AddedToken = "[CLS]",
        eos_token: str | AddedToken = "[SEP]",
        unk_token: str | AddedToken = "<unk>",
        sep_token: str | AddedToken = "[SEP]",
        pad_token: str | AddedToken = "<pad>",
        cls_token: str | AddedToken = "[CLS]",
        mask_token: str | AddedToken = "[MASK]",
        backend: Tokenizer | None = None,
        **options: Any,
    ) -> None:
        self.do_lower_case = do_lower_case
        self.keep_accents = keep_accents
        if backend is None:
            special_tokens = [str(token) for token in (pad_token, unk_token, cls_token, sep_token, mask_token)]
            model = to_sentencepiece_model(vocab, special_tokens)
            normalizer = prepare_text(model.character_map, do_lower_case, keep_accents)
            backend = build_sentencepiece_backend(model, str(unk_token), normalizer=normalizer)
        super().__init__(
            backend,
            bos_token=bos_token,
            eos_token=eos_token,
            unk_token=unk_token,
            sep_token=sep_token,
            pad_token=pad_token,
            cls_token=cls_token,
            mask_token=mask_token,
            do_lower_case=do_lower_case,
            keep_accents=keep_accents,
            **options,
        )

    # Copied from add_model.zoo.models.bert.tokenization_bert.BertTokenizer.build_post_processor
    def build_post_processor(self) -> TemplateProcessing:
        """Return the templates of one text and of a pair, with their token types behind the colons."""
        return TemplateProcessing(
            single=f"{self.cls_token}:0 $A:0 {self.sep_token}:0",
            pair=f"{self.cls_token}:0 $A:0 {self.sep_token}:0 $B:1 {self.sep_token}:1",
            special_tokens=[(self.cls_token, self.cls_token_id), (self.sep_token, self.sep_token_id)],
        )

    @classmethod
    def align_backend(cls, backend: Tokenizer, options: dict[str, Any]) -> dict[str, Any]:
        """Make the text preparation in `tokenizer.json` follow the options; see `PreTrainedTokenizer`."""
        steps = [type(step) for step in normalizer_steps(backend)]
        found = {"do_lower_case": Lowercase in steps, "keep_accents": StripAccents not in steps}
        settled = {**found, **options}
        if any(settled[name] != found[name] for name in found):
            backend.normalizer = prepare_text(
                character_map_of(backend), settled["do_lower_case"], settled["keep_accents"]
            )
        return settled
