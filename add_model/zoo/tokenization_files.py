"""The files of a tokenizer, read and written in the layout of published checkpoints, and the training of new ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Tokenizer
from tokenizers.models import BPE, Unigram, WordPiece
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.trainers import BpeTrainer, UnigramTrainer, WordPieceTrainer

from .configuration_utils import read_json_file

TOKENIZER_FILE_NAME = "tokenizer.json"
TOKENIZER_CONFIG_FILE_NAME = "tokenizer_config.json"
SPECIAL_TOKENS_FILE_NAME = "special_tokens_map.json"
ADDED_TOKENS_FILE_NAME = "added_tokens.json"
OPTION_FILE_NAMES = (TOKENIZER_CONFIG_FILE_NAME, SPECIAL_TOKENS_FILE_NAME, ADDED_TOKENS_FILE_NAME)

# The order in which special tokens that the vocabulary lacks receive their ids.
SPECIAL_TOKEN_NAMES = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")

# Keys of tokenizer_config.json that describe files or code, not the tokenizer.
FILE_KEYS = ("tokenizer_class", "tokenizer_file", "special_tokens_map_file", "name_or_path", "auto_map", "backend")


def to_added_token(token: str | AddedToken | Mapping[str, Any], special: bool = True) -> AddedToken:
    """Return a token with its flags; JSON files write such a token as its text or as an object."""
    if isinstance(token, AddedToken):
        return token
    if isinstance(token, str):
        return AddedToken(token, special=special, normalized=not special)
    flags = {name: bool(token[name]) for name in ("lstrip", "rstrip", "single_word", "normalized") if name in token}
    is_special = bool(token.get("special", special))
    return AddedToken(str(token["content"]), special=is_special, **{"normalized": not is_special, **flags})


def read_backend(path: Path) -> Tokenizer:
    """Return the pipeline in a `tokenizer.json`.

    Raises:
        ValueError: the file does not describe a pipeline.
    """
    try:
        return Tokenizer.from_file(str(path))
    # The library raises nothing more specific.
    except Exception as error:
        raise ValueError(f"{path} describes no tokenizer: {error}") from error


def read_saved_options(files: Mapping[str, Path | None]) -> dict[str, Any]:
    """Return the constructor arguments that the JSON files beside a vocabulary hold.

    `tokenizer_config.json` comes first; older checkpoints keep the flags of special tokens in
    `special_tokens_map.json` and further tokens in `added_tokens.json`.
    """
    contents = {name: read_json_file(path) for name, path in files.items() if path is not None}
    options = dict(contents.get(TOKENIZER_CONFIG_FILE_NAME, {}))
    added_tokens = {
        int(index): to_added_token(token) for index, token in options.pop("added_tokens_decoder", {}).items()
    }
    if not added_tokens:
        for name, token in contents.get(SPECIAL_TOKENS_FILE_NAME, {}).items():
            if isinstance(options.get(name), (str, type(None))):
                options[name] = token
        special_tokens = [to_added_token(options[name]) for name in SPECIAL_TOKEN_NAMES if options.get(name)]
        flagged = {token.content: token for token in special_tokens}
        for content, index in contents.get(ADDED_TOKENS_FILE_NAME, {}).items():
            added_tokens[int(index)] = flagged.get(content) or to_added_token(content, special=False)
    by_content = {token.content: token for token in added_tokens.values()}
    for name in SPECIAL_TOKEN_NAMES:
        if options.get(name):
            token = options[name]
            content = token if isinstance(token, str) else token["content"]
            options[name] = by_content.get(content, token if isinstance(token, str) else to_added_token(token))
    if added_tokens:
        options["added_tokens_decoder"] = added_tokens
    return {name: value for name, value in options.items() if name not in FILE_KEYS}


def learn_vocabulary(
    backend: Tokenizer, texts: Iterable[str], vocab_size: int, special_tokens: Sequence[AddedToken], **options: Any
) -> dict[str, Any]:
    """Return the model that a pipeline learns from texts as `tokenizer.json` has it: `vocab` and, for BPE, `merges`.

    The pipeline itself stays as it is.

    Raises:
        ValueError: the model of the pipeline is neither WordPiece, BPE nor Unigram.
    """
    # Added tokens would be cut out of the texts and learned whole, with the spaces that belong to them.
    pipeline = json.loads(backend.to_str())
    learner = Tokenizer.from_str(json.dumps({**pipeline, "added_tokens": []}))
    options = {"vocab_size": vocab_size, "special_tokens": list(special_tokens), "show_progress": False, **options}
    trainer: WordPieceTrainer | BpeTrainer | UnigramTrainer
    if isinstance(backend.model, WordPiece):
        trainer = WordPieceTrainer(continuing_subword_prefix=backend.model.continuing_subword_prefix, **options)
    elif isinstance(backend.model, BPE):
        # Bytes that no text had must be known nevertheless; a vocabulary of characters knows those of the texts.
        alphabet = ByteLevel.alphabet() if "ByteLevel" in json.dumps(pipeline["pre_tokenizer"]) else []
        trainer = BpeTrainer(initial_alphabet=alphabet, **options)
    elif isinstance(backend.model, Unigram):
        unk_id = pipeline["model"]["unk_id"]
        unk_token = None if unk_id is None else backend.id_to_token(unk_id)
        trainer = UnigramTrainer(unk_token=unk_token, **options)
    else:
        learnable = "only WordPiece, BPE and Unigram vocabularies are learned here"
        raise ValueError(f"{learnable}, not {type(backend.model).__name__}")
    learner.train_from_iterator(texts, trainer=trainer)
    learned: dict[str, Any] = json.loads(learner.to_str())["model"]
    return learned


def write_tokenizer_files(
    folder: Path, backend: Tokenizer, content: Mapping[str, Any], save_vocabulary: Callable[[Path], list[Path]]
) -> list[Path]:
    """Write `tokenizer.json`, the vocabulary files, and `tokenizer_config.json` with this content and added tokens."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer_file = folder / TOKENIZER_FILE_NAME
    config_file = folder / TOKENIZER_CONFIG_FILE_NAME
    backend.save(str(tokenizer_file))
    vocabulary_files = save_vocabulary(folder)
    flags = ("content", "lstrip", "normalized", "rstrip", "single_word", "special")
    added_tokens = {
        str(index): {flag: getattr(token, flag) for flag in flags}
        for index, token in sorted(backend.get_added_tokens_decoder().items())
    }
    text = json.dumps({**content, "added_tokens_decoder": added_tokens}, indent=2, sort_keys=True, ensure_ascii=False)
    config_file.write_text(text + "\n", encoding="utf-8")
    return [tokenizer_file, *vocabulary_files, config_file]
