"""Tokenizers that prepare text as ALBERT, XLNet, Pegasus and T5 do, in as few lines as the base class leaves."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from tokenizers import AddedToken, Tokenizer
from tokenizers.processors import TemplateProcessing

from add_model.zoo.sentencepiece_files import Piece, SentencePieceModel
from add_model.zoo.tokenization_sentencepiece import (
    SentencePieceTokenizer,
    build_normalizer,
    build_sentencepiece_backend,
    to_sentencepiece_model,
)

Vocabulary = str | Path | SentencePieceModel | list[tuple[str, float]] | None


class ClassifyingTokenizer(SentencePieceTokenizer):
    """As ALBERT has it: `[CLS] first [SEP] second [SEP]`, small letters without accents."""

    def __init__(
        self,
        vocab: Vocabulary = None,
        *,
        do_lower_case: bool = True,
        keep_accents: bool = False,
        backend: Tokenizer | None = None,
        **options: Any,
    ) -> None:
        tokens = {"pad_token": "<pad>", "unk_token": "<unk>", "cls_token": "[CLS]", "sep_token": "[SEP]"}
        options = {**tokens, "mask_token": "[MASK]", "bos_token": "[CLS]", "eos_token": "[SEP]", **options}
        if backend is None:
            names = ("pad_token", "unk_token", "cls_token", "sep_token", "mask_token")
            model = to_sentencepiece_model(vocab, [str(options[name]) for name in names])
            normalizer = build_normalizer(
                model.character_map,
                straight_quotes=True,
                strip_accents=not keep_accents,
                lowercase=do_lower_case,
            )
            backend = build_sentencepiece_backend(model, str(options["unk_token"]), normalizer=normalizer)
        super().__init__(backend, do_lower_case=do_lower_case, keep_accents=keep_accents, **options)

    def build_post_processor(self) -> TemplateProcessing:
        return TemplateProcessing(
            single=f"{self.cls_token}:0 $A:0 {self.sep_token}:0",
            pair=f"{self.cls_token}:0 $A:0 {self.sep_token}:0 $B:1 {self.sep_token}:1",
            special_tokens=[(self.cls_token, self.cls_token_id), (self.sep_token, self.sep_token_id)],
        )


class LeftPaddedTokenizer(SentencePieceTokenizer):
    """As XLNet has it: the class token last and of a token type of its own, padding on the left of another."""

    pad_token_type_id: ClassVar[int] = 3

    def __init__(self, vocab: Vocabulary = None, *, backend: Tokenizer | None = None, **options: Any) -> None:
        tokens: dict[str, Any] = {"unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>", "cls_token": "<cls>"}
        mask_token = AddedToken("<mask>", lstrip=True, special=True, normalized=False)
        tokens = {**tokens, "sep_token": "<sep>", "pad_token": "<pad>", "mask_token": mask_token}
        options = {"padding_side": "left", **tokens, "extra_special_tokens": ["<eop>", "<eod>"], **options}
        if backend is None:
            model = to_sentencepiece_model(vocab, [str(options["unk_token"])])
            normalizer = build_normalizer(model.character_map, straight_quotes=True, strip_accents=True)
            backend = build_sentencepiece_backend(model, str(options["unk_token"]), normalizer=normalizer)
        super().__init__(backend, **options)

    def build_post_processor(self) -> TemplateProcessing:
        return TemplateProcessing(
            single=f"$A:0 {self.sep_token}:0 {self.cls_token}:2",
            pair=f"$A:0 {self.sep_token}:0 $B:1 {self.sep_token}:1 {self.cls_token}:2",
            special_tokens=[(self.sep_token, self.sep_token_id), (self.cls_token, self.cls_token_id)],
        )


class OffsetTokenizer(SentencePieceTokenizer):
    """As Pegasus has it: `offset` tokens of its own stand before the pieces of the published file."""

    def __init__(
        self,
        vocab: Vocabulary = None,
        *,
        offset: int = 103,
        mask_token_sent: str = "<mask_1>",
        backend: Tokenizer | None = None,
        **options: Any,
    ) -> None:
        tokens = {"pad_token": "<pad>", "eos_token": "</s>", "mask_token": "<mask_2>", "unk_token": "<unk>"}
        extra = [mask_token_sent, *(f"<unk_{index}>" for index in range(2, offset))]
        options = {**tokens, "extra_special_tokens": extra, **options}
        if backend is None:
            own = [str(options["pad_token"]), str(options["eos_token"]), mask_token_sent, str(options["mask_token"])]
            own += [f"<unk_{index}>" for index in range(2, offset)]
            model = to_sentencepiece_model(vocab, [*own, str(options["unk_token"])])
            if mask_token_sent not in {piece.text for piece in model.pieces}:
                # The published file begins with the padding and the end of a text.
                pieces = (*(Piece(token, 0.0) for token in own), *model.pieces[2:])
                model = model._replace(pieces=pieces)
            normalizer = build_normalizer(model.character_map, single_spaces=True)
            backend = build_sentencepiece_backend(
                model, str(options["unk_token"]), normalizer=normalizer, split_whitespace=False
            )
        super().__init__(backend, offset=offset, mask_token_sent=mask_token_sent, **options)

    def build_post_processor(self) -> TemplateProcessing:
        end = [(self.eos_token, self.eos_token_id)]
        return TemplateProcessing(single=f"$A {self.eos_token}", pair=f"$A $B {self.eos_token}", special_tokens=end)


class SentinelTokenizer(SentencePieceTokenizer):
    """As T5 has it: sentinels stand behind the pieces of the published file, the first of them last."""

    def __init__(
        self,
        vocab: Vocabulary = None,
        *,
        extra_ids: int = 100,
        backend: Tokenizer | None = None,
        **options: Any,
    ) -> None:
        sentinels = [f"<extra_id_{index}>" for index in range(extra_ids)]
        tokens = {"pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
        options = {**tokens, "extra_special_tokens": sentinels, **options}
        if backend is None:
            model = to_sentencepiece_model(vocab, list(tokens.values()))
            known = {piece.text for piece in model.pieces}
            missing = tuple(Piece(token, 0.0) for token in reversed(sentinels) if token not in known)
            model = model._replace(pieces=model.pieces + missing)
            normalizer = build_normalizer(model.character_map)
            backend = build_sentencepiece_backend(model, str(options["unk_token"]), normalizer=normalizer)
        super().__init__(backend, extra_ids=extra_ids, **options)

    def build_post_processor(self) -> TemplateProcessing:
        end = f"{self.eos_token}"
        return TemplateProcessing(
            single=["$A", end], pair=["$A", end, "$B", end], special_tokens=[(end, self.eos_token_id)]
        )


class MergingTokenizer(ClassifyingTokenizer):
    """A vocabulary whose pieces are merged pair by pair."""

    def __init__(self, vocab: Vocabulary = None, **options: Any) -> None:
        if vocab is None and options.get("backend") is None:
            tokens = ("<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]")
            vocab = to_sentencepiece_model(None, tokens)._replace(algorithm="bpe")
        super().__init__(vocab, **options)
