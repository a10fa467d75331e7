"""The base class of all tokenizers: the `tokenizers` library does the work, this adds what models need around it."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from huggingface_hub import HfApi
from tokenizers import AddedToken, Encoding, Tokenizer
from tokenizers.models import BPE

from .configuration_utils import find_file
from .tokenization_batch import (
    PADDING_STRATEGIES,
    PADDING_VALUES,
    TRUNCATION_STRATEGIES,
    BatchEncoding,
    TextInput,
    check_choice,
    pad_values,
    pair_up,
    to_tensors,
)
from .tokenization_files import (
    OPTION_FILE_NAMES,
    SPECIAL_TOKEN_NAMES,
    TOKENIZER_FILE_NAME,
    learn_vocabulary,
    read_backend,
    read_saved_options,
    to_added_token,
    write_tokenizer_files,
)

# The `model_max_length` of tokenizers without a limit, as published tokenizer_config.json files write it.
NO_MAXIMUM_LENGTH = int(1e30)

# Spaces that decoding leaves before punctuation and English contractions.
CLEANED_UP_SPACES = (
    (" .", "."),
    (" ?", "?"),
    (" !", "!"),
    (" ,", ","),
    (" ' ", "'"),
    (" n't", "n't"),
    (" 'm", "'m"),
    (" 's", "'s"),
    (" 've", "'ve"),
    (" 're", "'re"),
)

# What a call may return, and the attribute of `tokenizers.Encoding` that holds it.
ENCODING_ATTRIBUTES = {
    "input_ids": "ids",
    "token_type_ids": "type_ids",
    "attention_mask": "attention_mask",
    "special_tokens_mask": "special_tokens_mask",
    "offset_mapping": "offsets",
}

TokenizerType = TypeVar("TokenizerType", bound="PreTrainedTokenizer")


class SpecialTokenId:
    """The attribute that holds the id of a special token: `None` while the token is not set."""

    def __init__(self, token_name: str) -> None:
        self.token_name = token_name

    def __get__(self, tokenizer: PreTrainedTokenizer, owner: type[PreTrainedTokenizer]) -> int | None:
        token = getattr(tokenizer, self.token_name)
        return None if token is None else tokenizer.backend.token_to_id(token)


class PreTrainedTokenizer:
    """Text to ids and back, with the special tokens, padding and truncation that a model expects.

    A subclass builds the pipeline of its model out of the published vocabulary files and passes it on as `backend`.
    Used by itself, this class runs any `tokenizer.json`.

    Class attributes:
        vocabulary_files: file of each constructor argument that holds vocabulary, such as `{"vocab": "vocab.txt"}`.
        default_input_names: what a call returns, in this order.
        pad_token_type_id: the token type of padding.

    Args:
        backend: the pipeline of the `tokenizers` library.
        bos_token, eos_token, unk_token, sep_token, pad_token, cls_token, mask_token: the special tokens; those that
            the vocabulary lacks are added to it.
        extra_special_tokens: further tokens that are never split.
        additional_special_tokens: the older name of `extra_special_tokens`.
        added_tokens_decoder: tokens added to the vocabulary files, by id.
        model_max_length: length in tokens that truncation and padding use when a call names none.
        padding_side, truncation_side: "right" or "left".
        clean_up_tokenization_spaces: whether decoding drops spaces before punctuation; has no effect on
            byte-level vocabularies, whose spaces are part of the tokens.
        model_input_names: what a call returns, in place of `default_input_names`.
        **options: the options of the subclass, and keys of other libraries, which are kept as they are.

    Raises:
        ValueError: a side is neither "right" nor "left", or an added token does not get the id it was saved with.
    """

    vocabulary_files: ClassVar[dict[str, str]] = {}
    default_input_names: ClassVar[tuple[str, ...]] = ("input_ids", "attention_mask")
    pad_token_type_id: ClassVar[int] = 0

    bos_token_id = SpecialTokenId("bos_token")
    eos_token_id = SpecialTokenId("eos_token")
    unk_token_id = SpecialTokenId("unk_token")
    sep_token_id = SpecialTokenId("sep_token")
    pad_token_id = SpecialTokenId("pad_token")
    cls_token_id = SpecialTokenId("cls_token")
    mask_token_id = SpecialTokenId("mask_token")

    def __init__(
        self,
        backend: Tokenizer,
        *,
        bos_token: str | AddedToken | None = None,
        eos_token: str | AddedToken | None = None,
        unk_token: str | AddedToken | None = None,
        sep_token: str | AddedToken | None = None,
        pad_token: str | AddedToken | None = None,
        cls_token: str | AddedToken | None = None,
        mask_token: str | AddedToken | None = None,
        extra_special_tokens: Sequence[str | AddedToken] | None = None,
        additional_special_tokens: Sequence[str | AddedToken] | None = None,
        added_tokens_decoder: Mapping[int, AddedToken] | None = None,
        model_max_length: int | None = None,
        padding_side: str = "right",
        truncation_side: str = "right",
        clean_up_tokenization_spaces: bool = False,
        model_input_names: Sequence[str] | None = None,
        **options: Any,
    ) -> None:
        self.backend = backend
        self.model_max_length = NO_MAXIMUM_LENGTH if model_max_length is None else int(model_max_length)
        self.padding_side = check_choice("padding_side", padding_side, ("right", "left"))
        self.truncation_side = check_choice("truncation_side", truncation_side, ("right", "left"))
        self.clean_up_tokenization_spaces = clean_up_tokenization_spaces
        self.model_input_names = list(model_input_names or self.default_input_names)
        self.options = options
        # A file may come with padding and truncation switched on; here they are arguments of each call.
        backend.no_padding()
        backend.no_truncation()

        self._add_saved_tokens(added_tokens_decoder or {})
        self.bos_token = self._add_special_token(bos_token)
        self.eos_token = self._add_special_token(eos_token)
        self.unk_token = self._add_special_token(unk_token)
        self.sep_token = self._add_special_token(sep_token)
        self.pad_token = self._add_special_token(pad_token)
        self.cls_token = self._add_special_token(cls_token)
        self.mask_token = self._add_special_token(mask_token)
        extra_tokens = extra_special_tokens or additional_special_tokens or ()
        self.extra_special_tokens = [
            added for token in extra_tokens if (added := self._add_special_token(token)) is not None
        ]
        if backend.post_processor is None:
            backend.post_processor = self.build_post_processor()

    def build_post_processor(self) -> Any:
        """Return what puts special tokens around the ids, a `tokenizers.processors` object; `None` adds nothing."""
        return None

    @classmethod
    def align_backend(cls, backend: Tokenizer, options: dict[str, Any]) -> dict[str, Any]:
        """Make a pipeline read from `tokenizer.json` follow the options, and return the options it settles itself.

        Options that are given win over the file; options that are not given are read out of it.
        """
        return options

    def _add_saved_tokens(self, added_tokens: Mapping[int, AddedToken]) -> None:
        known = self.backend.get_added_tokens_decoder()
        for index, token in sorted(added_tokens.items()):
            if repr(known.get(index)) == repr(token):
                continue
            self.backend.add_tokens([token])
            if self.backend.token_to_id(token.content) != index:
                raise ValueError(
                    f"the added token {token.content!r} was saved with the id {index}, but the vocabulary gives it "
                    f"{self.backend.token_to_id(token.content)}; the vocabulary files belong to another tokenizer"
                )

    def _add_special_token(self, token: str | AddedToken | Mapping[str, Any] | None) -> str | None:
        if token is None:
            return None
        added = to_added_token(token)
        known = {known.content for known in self.backend.get_added_tokens_decoder().values() if known.special}
        # Flags that were given explicitly replace those of the vocabulary; a plain text does not.
        if added.content not in known or not isinstance(token, str):
            self.backend.add_special_tokens([added])
        return added.content

    @property
    def special_tokens_map(self) -> dict[str, str]:
        """The special tokens that are set, by their name."""
        return {name: token for name in SPECIAL_TOKEN_NAMES if (token := getattr(self, name)) is not None}

    @property
    def all_special_tokens(self) -> list[str]:
        """Every special token once."""
        return list(dict.fromkeys([*self.special_tokens_map.values(), *self.extra_special_tokens]))

    @property
    def all_special_ids(self) -> list[int]:
        """Ids of `all_special_tokens`."""
        return [index for token in self.all_special_tokens if (index := self.backend.token_to_id(token)) is not None]

    @property
    def vocab_size(self) -> int:
        """Number of tokens without the added ones."""
        return self.backend.get_vocab_size(with_added_tokens=False)

    def __len__(self) -> int:
        return self.backend.get_vocab_size(with_added_tokens=True)

    def get_vocab(self) -> dict[str, int]:
        """Return the id of every token, added ones included."""
        return self.backend.get_vocab(with_added_tokens=True)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(tokens={len(self)}, special_tokens={self.special_tokens_map})"

    def add_tokens(self, tokens: Sequence[str | AddedToken], special_tokens: bool = False) -> int:
        """Add tokens that are never split, and return how many are new; resize the embeddings of the model then."""
        size_before = len(self)
        self.backend.add_tokens([to_added_token(token, special=special_tokens) for token in tokens])
        return len(self) - size_before

    def add_special_tokens(self, special_tokens: Mapping[str, str | AddedToken]) -> int:
        """Set special tokens by their name, such as `{"pad_token": "[PAD]"}`, and return how many are new.

        Raises:
            ValueError: there is no special token of that name.
        """
        size_before = len(self)
        for name, token in special_tokens.items():
            setattr(self, check_choice("the name of a special token", name, SPECIAL_TOKEN_NAMES), None)
            setattr(self, name, self._add_special_token(token))
        self.backend.post_processor = self.build_post_processor() or self.backend.post_processor
        return len(self) - size_before

    def num_special_tokens_to_add(self, pair: bool = False) -> int:
        """Return how many special tokens are put around one text, or around a pair."""
        return self.backend.num_special_tokens_to_add(pair)

    def tokenize(self, text: str, text_pair: str | None = None, *, add_special_tokens: bool = False) -> list[str]:
        """Return the tokens of a text as they stand in the vocabulary."""
        ids = self.encode(text, text_pair, add_special_tokens=add_special_tokens)
        return [str(token) for token in self.convert_ids_to_tokens(ids)]

    def encode(self, text: TextInput, text_pair: TextInput | None = None, **options: Any) -> list[int]:
        """Return only the ids of one text; the options are those of a call."""
        ids: list[int] = self(text, text_pair, **options)["input_ids"]
        return ids

    def __call__(
        self,
        text: TextInput,
        text_pair: TextInput | None = None,
        *,
        add_special_tokens: bool = True,
        padding: bool | str = False,
        truncation: bool | str | None = None,
        max_length: int | None = None,
        stride: int = 0,
        is_split_into_words: bool = False,
        pad_to_multiple_of: int | None = None,
        padding_side: str | None = None,
        return_tensors: str | None = None,
        return_token_type_ids: bool | None = None,
        return_attention_mask: bool | None = None,
        return_special_tokens_mask: bool = False,
        return_offsets_mapping: bool = False,
        return_overflowing_tokens: bool = False,
    ) -> BatchEncoding:
        """Turn one text, a pair, or a batch of either into the arguments of a model.

        Args:
            text: a text, or a list of them (a batch); with `is_split_into_words` a list of words, or a batch of such.
            text_pair: the second text of each pair. Given with one text, an empty second text counts as none.
            add_special_tokens: whether to put the model's special tokens around the text.
            padding: `True` or "longest" (fill up to the longest row), "max_length", or `False`.
            truncation: `True` or "longest_first", "only_first", "only_second", or `False`; `None` truncates
                exactly when `max_length` is given and `padding` is not.
            max_length: length in tokens; `model_max_length` when not given.
            stride: by how many tokens the rows of one text overlap, with `return_overflowing_tokens`.
            is_split_into_words: whether texts are lists of words.
            pad_to_multiple_of: padded rows get a length that is a multiple of this.
            padding_side: in place of the tokenizer's own.
            return_tensors: "pt" for PyTorch tensors of shape (batch size, sequence length); one text is a batch of one.
            return_token_type_ids, return_attention_mask: `None` returns what `model_input_names` lists.
            return_special_tokens_mask: also return 1 for every special token, 0 for the rest.
            return_offsets_mapping: also return where in the text each token begins and ends, in characters.
            return_overflowing_tokens: turn what truncation cuts off into further rows, and return the index of the
                text each row comes from as `overflow_to_sample_mapping`.

        Raises:
            TypeError: the input is neither text nor a list of it.
            ValueError: options that contradict each other, or no padding token to pad with.
        """
        is_single = isinstance(text, str) or (is_split_into_words and all(isinstance(word, str) for word in text))
        if max_length is not None and padding is False and truncation is None:
            truncation = True
        self._set_truncation(truncation, max_length, stride, add_special_tokens, text_pair is not None)
        try:
            encodings = self._encode_batch(
                pair_up(text, text_pair, is_single), add_special_tokens, is_split_into_words
            )
        finally:
            self.backend.no_truncation()

        sources = list(range(len(encodings)))
        if return_overflowing_tokens:
            rows = [(index, row) for index, first in enumerate(encodings) for row in (first, *first.overflowing)]
            sources, encodings = [index for index, _ in rows], [row for _, row in rows]
        lengths = [len(row.ids) for row in encodings]
        length = self._padded_length(lengths, padding, max_length, pad_to_multiple_of)
        if length is not None:
            side = check_choice("padding_side", padding_side or self.padding_side, ("right", "left"))
            for row in encodings:
                row.pad(
                    length,
                    direction=side,
                    pad_id=self.pad_token_id,
                    pad_type_id=self.pad_token_type_id,
                    pad_token=self.pad_token,
                )

        wanted = {
            "token_type_ids": return_token_type_ids,
            "attention_mask": return_attention_mask,
            "special_tokens_mask": return_special_tokens_mask,
            "offset_mapping": return_offsets_mapping,
        }
        data = self._collect(encodings, wanted)
        if return_overflowing_tokens:
            data["overflow_to_sample_mapping"] = sources
        if return_tensors is not None:
            data = to_tensors(data, return_tensors)
        elif is_single and not return_overflowing_tokens:
            data = {name: rows[0] for name, rows in data.items()}
        return BatchEncoding(data, encodings)

    def _set_truncation(
        self, truncation: bool | str | None, max_length: int | None, stride: int, add_special_tokens: bool, pair: bool
    ) -> None:
        strategy = "longest_first" if truncation is True else truncation or "do_not_truncate"
        check_choice("truncation", strategy, TRUNCATION_STRATEGIES)
        if max_length is None and self.model_max_length < NO_MAXIMUM_LENGTH:
            max_length = self.model_max_length
        if strategy == "do_not_truncate" or max_length is None:
            return
        special_tokens = self.num_special_tokens_to_add(pair) if add_special_tokens else 0
        # Below this the backend would return the text untruncated, without a word.
        if max_length < max(special_tokens, 1):
            raise ValueError(f"max_length {max_length} leaves no room for the {special_tokens} special tokens")
        self.backend.enable_truncation(max_length, stride=stride, strategy=strategy, direction=self.truncation_side)

    def _encode_batch(self, inputs: list[Any], add_special_tokens: bool, is_split_into_words: bool) -> list[Encoding]:
        try:
            return self.backend.encode_batch(
                inputs, is_pretokenized=is_split_into_words, add_special_tokens=add_special_tokens
            )
        except TypeError as error:
            raise TypeError(f"a tokenizer takes text (str without lone surrogates) or lists of it: {error}") from error

    def _padded_length(
        self, lengths: list[int], padding: bool | str, max_length: int | None, multiple: int | None
    ) -> int | None:
        strategy = "longest" if padding is True else padding or "do_not_pad"
        if check_choice("padding", strategy, PADDING_STRATEGIES) == "do_not_pad":
            return None
        if self.pad_token_id is None:
            raise ValueError(
                "there is no padding token to pad with; set one, for example "
                "tokenizer.pad_token = tokenizer.eos_token, or tokenizer.add_special_tokens({'pad_token': '[PAD]'})"
            )
        length = max(lengths, default=0)
        if strategy == "max_length":
            length = self.model_max_length if max_length is None else max_length
            if length >= NO_MAXIMUM_LENGTH:
                raise ValueError("padding='max_length' needs max_length: the tokenizer has no model_max_length")
        return length if multiple is None else math.ceil(length / multiple) * multiple

    def _collect(self, encodings: list[Encoding], wanted: Mapping[str, bool | None]) -> dict[str, Any]:
        """Return a list of rows for every name that a call returns; `None` leaves it to `model_input_names`."""
        data = {}
        for name, attribute in ENCODING_ATTRIBUTES.items():
            is_wanted = wanted.get(name)
            if name == "input_ids" or (name in self.model_input_names if is_wanted is None else is_wanted):
                data[name] = [list(getattr(row, attribute)) for row in encodings]
        return data

    def pad(
        self,
        rows: Mapping[str, Sequence[Any]] | Sequence[Mapping[str, Any]],
        *,
        padding: bool | str = True,
        max_length: int | None = None,
        pad_to_multiple_of: int | None = None,
        padding_side: str | None = None,
        return_tensors: str | None = None,
    ) -> BatchEncoding:
        """Bring encoded texts to one length, such as the examples that a data loader hands out.

        Args:
            rows: a batch as a call returns it, or a list of encoded texts.
            padding, max_length, pad_to_multiple_of, padding_side, return_tensors: as in a call.

        Raises:
            ValueError: there is no padding token.
        """
        if not isinstance(rows, Mapping):
            rows = {name: [row[name] for row in rows] for name in rows[0]} if rows else {"input_ids": []}
        lengths = [len(ids) for ids in rows["input_ids"]]
        length = self._padded_length(lengths, padding, max_length, pad_to_multiple_of)
        side = check_choice("padding_side", padding_side or self.padding_side, ("right", "left"))
        fillers = {**PADDING_VALUES, "input_ids": self.pad_token_id, "token_type_ids": self.pad_token_type_id}
        data: dict[str, Any] = dict(rows)
        if length is not None:
            data.setdefault("attention_mask", [[1] * row_length for row_length in lengths])
            for name in data.keys() & fillers.keys():
                data[name] = [pad_values(row, length, fillers[name], side) for row in data[name]]
        if return_tensors is not None:
            data = to_tensors(data, return_tensors)
        return BatchEncoding(data)

    def decode(
        self, ids: Any, *, skip_special_tokens: bool = False, clean_up_tokenization_spaces: bool | None = None
    ) -> str:
        """Return the text of ids: one id, a list of them, or a tensor of shape (sequence length,)."""
        ids = ids.tolist() if hasattr(ids, "tolist") else ids
        text = self.backend.decode([ids] if isinstance(ids, int) else list(ids), skip_special_tokens)
        clean_up = self.clean_up_tokenization_spaces
        if clean_up_tokenization_spaces is not None:
            clean_up = clean_up_tokenization_spaces
        if clean_up and not isinstance(self.backend.model, BPE):
            for spaced, closed in CLEANED_UP_SPACES:
                text = text.replace(spaced, closed)
        return text

    def batch_decode(self, rows: Iterable[Any], *, skip_special_tokens: bool = False) -> list[str]:
        """Return the text of every row of ids."""
        return [self.decode(row, skip_special_tokens=skip_special_tokens) for row in rows]

    def convert_tokens_to_ids(self, tokens: Sequence[str]) -> list[int | None]:
        """Return the ids of tokens; what the vocabulary lacks becomes the id of the unknown token."""
        known = (self.backend.token_to_id(token) for token in tokens)
        return [self.unk_token_id if index is None else index for index in known]

    def convert_ids_to_tokens(self, ids: Iterable[int]) -> list[str | None]:
        """Return the tokens of ids; `None` for an id that is outside the vocabulary."""
        return [self.backend.id_to_token(int(index)) for index in ids]

    def train_new_from_iterator(
        self: TokenizerType, texts: Iterable[str], vocab_size: int, **trainer_options: Any
    ) -> TokenizerType:
        """Return a tokenizer of this kind, with the same options, whose vocabulary is learned from texts.

        The special tokens get the first ids, in the order of their ids here.

        Args:
            texts: the texts to learn from.
            vocab_size: number of tokens to learn, special ones included.
            **trainer_options: see the trainers of the `tokenizers` library.

        Raises:
            ValueError: the model of the pipeline is neither WordPiece, BPE nor Unigram.
        """
        special_ids = set(self.all_special_ids)
        added = sorted(self.backend.get_added_tokens_decoder().items())
        special_tokens = [token for index, token in added if index in special_ids]
        learned = learn_vocabulary(self.backend, texts, vocab_size, special_tokens, **trainer_options)
        return type(self)(**self._vocabulary_arguments(learned), **self._constructor_options())

    def _vocabulary_arguments(self, learned: dict[str, Any]) -> dict[str, Any]:
        """Return the constructor arguments that hold a learned vocabulary."""
        return {name: learned[name] for name in self.vocabulary_files}

    def _constructor_options(self) -> dict[str, Any]:
        """Return the constructor arguments of this tokenizer but its vocabulary."""
        added = {token.content: token for token in self.backend.get_added_tokens_decoder().values()}
        return {
            **self.options,
            **{name: added.get(token, token) for name, token in self.special_tokens_map.items()},
            "extra_special_tokens": [added.get(token, token) for token in self.extra_special_tokens],
            "model_max_length": self.model_max_length,
            "padding_side": self.padding_side,
            "truncation_side": self.truncation_side,
            "clean_up_tokenization_spaces": self.clean_up_tokenization_spaces,
            "model_input_names": self.model_input_names,
        }

    def save_pretrained(self, folder: str | Path) -> list[Path]:
        """Write `tokenizer.json`, the vocabulary files and `tokenizer_config.json`; return their paths."""
        content = {
            **self._constructor_options(),
            **self.special_tokens_map,
            "extra_special_tokens": self.extra_special_tokens,
            "tokenizer_class": type(self).__name__,
        }
        return write_tokenizer_files(Path(folder), self.backend, content, self.save_vocabulary)

    def save_vocabulary(self, folder: Path) -> list[Path]:
        """Write the vocabulary files into a folder, and return their paths."""
        return [Path(path) for path in self.backend.model.save(str(folder))]

    def push_to_hub(self, repo_id: str, *, private: bool | None = None, token: str | bool | None = None) -> str:
        """Upload what `save_pretrained` writes into a repository on the Hub, and return its address."""
        hub = HfApi(token=token)
        url = hub.create_repo(repo_id, private=private, exist_ok=True)
        with tempfile.TemporaryDirectory() as folder:
            self.save_pretrained(folder)
            hub.upload_folder(repo_id=repo_id, folder_path=folder, commit_message="Upload tokenizer")
        return str(url)

    @classmethod
    def from_pretrained(
        cls: type[TokenizerType],
        folder_or_hub_id: str | Path,
        *,
        revision: str | None = None,
        token: str | bool | None = None,
        cache_dir: str | Path | None = None,
        force_download: bool = False,
        local_files_only: bool = False,
        **options: Any,
    ) -> TokenizerType:
        """Read a tokenizer from a folder or from a repository on the Hub.

        `tokenizer.json` is read where there is one, the vocabulary files of the model otherwise. Keyword arguments
        win over `tokenizer_config.json`, which wins over `tokenizer.json`.

        Raises:
            FileNotFoundError: there is no such folder or repository, or it has neither kind of file.
            ValueError: a file does not hold what it should.
        """

        def find(file_name: str) -> Path | None:
            return find_file(
                folder_or_hub_id,
                file_name,
                revision=revision,
                token=token,
                cache_dir=cache_dir,
                force_download=force_download,
                local_files_only=local_files_only,
            )

        options = {**read_saved_options({name: find(name) for name in OPTION_FILE_NAMES}), **options}
        tokenizer_file = find(TOKENIZER_FILE_NAME)
        if tokenizer_file is not None:
            backend = read_backend(tokenizer_file)
            return cls(backend=backend, **cls.align_backend(backend, options))
        vocabulary: dict[str, Any] = {
            argument: find(file_name) for argument, file_name in cls.vocabulary_files.items()
        }
        if not vocabulary or None in vocabulary.values():
            alternatives = " and ".join(cls.vocabulary_files.values())
            raise FileNotFoundError(
                f"{folder_or_hub_id} has no {TOKENIZER_FILE_NAME}" + (f", nor {alternatives}" if alternatives else "")
            )
        return cls(**vocabulary, **options)
