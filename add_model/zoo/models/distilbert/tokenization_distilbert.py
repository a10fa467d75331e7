"""Tokenizer of DistilBERT, which is BERT's: text is cleaned, split into words and punctuation, and each word into WordPiece tokens."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from tokenizers import AddedToken, Tokenizer
from tokenizers.decoders import WordPiece as WordPieceDecoder
from tokenizers.models import WordPiece

# Both serve any model that prepares text this way, so the code below uses names that tell what they do.
from tokenizers.normalizers import BertNormalizer as CleaningNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer as WordAndPunctuationSplitter
from tokenizers.processors import TemplateProcessing

from ...tokenization_utils import PreTrainedTokenizer


# Copied from add_model.zoo.models.bert.tokenization_bert.read_vocabulary
def read_vocabulary(path: str | Path) -> dict[str, int]:
    """Return the id of every token in a `vocab.txt`: one token a line, whose id is the number of its line."""
    # Only "\n" counts lines: a carriage return inside of a token would shift all ids behind it.
    with open(path, encoding="utf-8", newline="\n") as file:
        return {line.rstrip("\r\n"): index for index, line in enumerate(file)}


class DistilBertTokenizer(PreTrainedTokenizer):
    """WordPiece tokenizer with the text preparation of BERT, as in https://arxiv.org/abs/1810.04805.

    One text becomes `[CLS] text [SEP]`, a pair `[CLS] first [SEP] second [SEP]`. Token types, 1 from the second text
    on, are returned only when they are asked for, because the model has no use for them.

    Args:
        vocab: path of a `vocab.txt`, or the id of every token. Left out, the vocabulary holds the special tokens
            only, as a start for `train_new_from_iterator`.
        do_lower_case: whether text is lower-cased.
        strip_accents: whether accents are removed; `None` does so exactly when text is lower-cased.
        tokenize_chinese_chars: whether every Chinese character is a word of its own.
        unk_token, sep_token, pad_token, cls_token, mask_token: the special tokens.
        backend: a finished pipeline in place of `vocab`.
        **options: see `PreTrainedTokenizer`.

    Raises:
        FileNotFoundError: there is no such `vocab.txt`.
        ValueError: the vocabulary lacks the unknown token.
    """

    vocabulary_files: ClassVar[dict[str, str]] = {"vocab": "vocab.txt"}

    # Copied from add_model.zoo.models.bert.tokenization_bert.BertTokenizer.__init__
    def __init__(
        self,
        vocab: str | Path | dict[str, int] | None = None,
        *,
        do_lower_case: bool = True,
        strip_accents: bool | None = None,
        tokenize_chinese_chars: bool = True,
        unk_token: str | AddedToken = "[UNK]",
        sep_token: str | AddedToken = "[SEP]",
        pad_token: str | AddedToken = "[PAD]",
        cls_token: str | AddedToken = "[CLS]",
        mask_token: str | AddedToken = "[MASK]",
        backend: Tokenizer | None = None,
        **options: Any,
    ) -> None:
        self.do_lower_case = do_lower_case
        self.strip_accents = strip_accents
        self.tokenize_chinese_chars = tokenize_chinese_chars
        if backend is None:
            special_tokens = [str(token) for token in (pad_token, unk_token, cls_token, sep_token, mask_token)]
            backend = self._build_backend(vocab, str(unk_token), special_tokens)
        super().__init__(
            backend,
            unk_token=unk_token,
            sep_token=sep_token,
            pad_token=pad_token,
            cls_token=cls_token,
            mask_token=mask_token,
            do_lower_case=do_lower_case,
            strip_accents=strip_accents,
            tokenize_chinese_chars=tokenize_chinese_chars,
            **options,
        )

    # Copied from add_model.zoo.models.bert.tokenization_bert.BertTokenizer._build_backend
    def _build_backend(
        self, vocab: str | Path | dict[str, int] | None, unk_token: str, special_tokens: list[str]
    ) -> Tokenizer:
        if vocab is None:
            vocab = {token: index for index, token in enumerate(dict.fromkeys(special_tokens))}
        if not isinstance(vocab, dict):
            vocab = read_vocabulary(vocab)
        if unk_token not in vocab:
            raise ValueError(
                f"the vocabulary lacks the unknown token {unk_token!r}; add it, or pass another unk_token"
            )
        backend = Tokenizer(WordPiece(vocab, unk_token=unk_token))
        backend.normalizer = CleaningNormalizer(
            clean_text=True,
            handle_chinese_chars=self.tokenize_chinese_chars,
            strip_accents=self.strip_accents,
            lowercase=self.do_lower_case,
        )
        backend.pre_tokenizer = WordAndPunctuationSplitter()
        backend.decoder = WordPieceDecoder(prefix="##")
        return backend

    # Copied from add_model.zoo.models.bert.tokenization_bert.BertTokenizer.build_post_processor
    def build_post_processor(self) -> TemplateProcessing:
        """Return the templates of one text and of a pair, with their token types behind the colons."""
        return TemplateProcessing(
            single=f"{self.cls_token}:0 $A:0 {self.sep_token}:0",
            pair=f"{self.cls_token}:0 $A:0 {self.sep_token}:0 $B:1 {self.sep_token}:1",
            special_tokens=[(self.cls_token, self.cls_token_id), (self.sep_token, self.sep_token_id)],
        )

    # Copied from add_model.zoo.models.bert.tokenization_bert.BertTokenizer.align_backend
    @classmethod
    def align_backend(cls, backend: Tokenizer, options: dict[str, Any]) -> dict[str, Any]:
        """Make the text preparation in `tokenizer.json` follow the options; see `PreTrainedTokenizer`."""
        normalizer = backend.normalizer
        if not isinstance(normalizer, CleaningNormalizer):
            return options
        settled = {
            "do_lower_case": normalizer.lowercase,
            "strip_accents": normalizer.strip_accents,
            "tokenize_chinese_chars": normalizer.handle_chinese_chars,
            **options,
        }
        backend.normalizer = CleaningNormalizer(
            clean_text=normalizer.clean_text,
            handle_chinese_chars=settled["tokenize_chinese_chars"],
            strip_accents=settled["strip_accents"],
            lowercase=settled["do_lower_case"],
        )
        return settled
