"""What every tokenizer has to do, whatever its vocabulary: a mixin for the tests of each tokenizer."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from tokenizers import AddedToken

from add_model.zoo import tokenization_utils
from add_model.zoo.tokenization_utils import PreTrainedTokenizer

TRAINING_TEXTS = (
    "The quick brown fox jumps over the lazy dog.",
    "A lazy dog sleeps, and the quick fox runs away.",
    "Numbers such as 12, 345 and 6.78 are tokens too!",
    "Hello world, how are you today? I am fine.",
    "Unhappily, the unhappiest fox was running and jumping.",
)

DIFFICULT_TEXTS = (
    "",
    " ",
    "\n\t  \r\n",
    "Crème brûlée, naïve café, Ångström",
    "e\u0301 is two characters, \u00e9 is one",
    "你好, 世界! こんにちは 안녕하세요",
    "👩‍👩‍👧‍👦 and 👍🏽 and 🇩🇪",
    "12345 3.14 1e-9 １２３",
    "a\x00b\x07c\u200bd\ufeffe\ufffdf\x7fg",
    "many     spaces\u00a0and\u2003others  ",
    "'s n't ... --- ??? !!!",
    "x" * 300,
)


class TokenizerTesterMixin:
    """Tests for a tokenizer; a subclass says how to make one.

    Class attributes:
        tokenizer_class: the class under test.
        text_survives_round_trip: whether decoding gives back exactly the text that was encoded.
        space_follows_special_tokens: whether text behind a special token begins with a space, even if it had none.
    """

    tokenizer_class: ClassVar[type[PreTrainedTokenizer]]
    text_survives_round_trip: ClassVar[bool] = False
    space_follows_special_tokens: ClassVar[bool] = False

    def get_tokenizer(self, **options: Any) -> PreTrainedTokenizer:
        """Return a tokenizer with a small vocabulary that has a padding token."""
        untrained: Any = self.tokenizer_class
        tokenizer: PreTrainedTokenizer = untrained(**options).train_new_from_iterator(TRAINING_TEXTS, vocab_size=400)
        if tokenizer.pad_token is None:
            tokenizer.pad_token = tokenizer.eos_token
        return tokenizer

    def all_texts(self, tokenizer: PreTrainedTokenizer) -> list[str]:
        """Return ordinary texts, difficult ones, and one that holds the special tokens."""
        with_special_tokens = " and ".join(f"{token}{token} {token}" for token in tokenizer.all_special_tokens)
        return [*TRAINING_TEXTS, *DIFFICULT_TEXTS, with_special_tokens]

    def test_training_gives_the_requested_class_and_size(self) -> None:
        tokenizer = self.get_tokenizer()
        assert type(tokenizer) is self.tokenizer_class
        assert 0 < len(tokenizer) <= 400
        assert sorted(tokenizer.get_vocab().values()) == list(range(len(tokenizer)))
        assert tokenizer.vocab_size <= len(tokenizer)

    def test_special_tokens_in_training_texts_are_text(self) -> None:
        tokenizer = self.get_tokenizer()
        texts = [f"the {token} fox and the {token}" for token in tokenizer.all_special_tokens]
        trained = tokenizer.train_new_from_iterator(texts, vocab_size=300)
        assert not any(" " in token for token in trained.get_vocab())
        assert trained.all_special_tokens == tokenizer.all_special_tokens

    def test_round_trip(self) -> None:
        tokenizer = self.get_tokenizer()
        for text in self.all_texts(tokenizer):
            ids = tokenizer.encode(text, add_special_tokens=False)
            if self.text_survives_round_trip and not any(token in text for token in tokenizer.all_special_tokens):
                assert tokenizer.decode(ids) == text
            # Decoding may change the spaces, and only once.
            decoded = tokenizer.decode(ids)
            again = tokenizer.decode(tokenizer.encode(decoded, add_special_tokens=False))
            if self.space_follows_special_tokens:
                assert "".join(again.split()) == "".join(decoded.split())
            else:
                assert again.split() == decoded.split()

    def test_known_words_survive_decoding(self) -> None:
        tokenizer = self.get_tokenizer()
        text = "the quick fox"
        assert tokenizer.decode(tokenizer.encode(text), skip_special_tokens=True) == text
        assert tokenizer.batch_decode([tokenizer.encode(text)] * 2, skip_special_tokens=True) == [text, text]

    def test_tensors_and_single_ids_decode_like_lists(self) -> None:
        tokenizer = self.get_tokenizer()
        ids = tokenizer.encode("the quick fox")
        assert tokenizer.decode(torch.tensor(ids)) == tokenizer.decode(ids)
        assert tokenizer.decode(ids[1]) == tokenizer.decode([ids[1]])

    def test_skip_special_tokens(self) -> None:
        tokenizer = self.get_tokenizer()
        ids = [*tokenizer.all_special_ids, *tokenizer.encode("fox", add_special_tokens=False)]
        decoded = tokenizer.decode(ids, skip_special_tokens=True)
        assert decoded.strip() == "fox"
        assert all(token in tokenizer.decode(ids) for token in tokenizer.all_special_tokens)

    def test_tokens_and_ids_convert_into_each_other(self) -> None:
        tokenizer = self.get_tokenizer()
        for text in self.all_texts(tokenizer):
            tokens = tokenizer.tokenize(text)
            assert tokenizer.convert_ids_to_tokens(tokenizer.encode(text, add_special_tokens=False)) == tokens
            assert tokenizer.convert_tokens_to_ids(tokens) == tokenizer.encode(text, add_special_tokens=False)
        assert tokenizer.convert_tokens_to_ids(["no such token"]) == [tokenizer.unk_token_id]
        assert tokenizer.convert_ids_to_tokens([10**6]) == [None]

    def test_special_tokens_are_never_split(self) -> None:
        tokenizer = self.get_tokenizer()
        for token, index in zip(tokenizer.all_special_tokens, tokenizer.all_special_ids, strict=True):
            assert index in tokenizer.encode(f"the{token}fox", add_special_tokens=False)
            assert tokenizer.tokenize(token) == [token]

    def test_special_token_attributes(self) -> None:
        tokenizer = self.get_tokenizer()
        for name, token in tokenizer.special_tokens_map.items():
            assert getattr(tokenizer, name) == token
            assert getattr(tokenizer, f"{name}_id") == tokenizer.get_vocab()[token]

    def test_empty_text_is_only_special_tokens(self) -> None:
        tokenizer = self.get_tokenizer()
        encoded = tokenizer("")
        assert len(encoded["input_ids"]) == tokenizer.num_special_tokens_to_add()
        assert encoded["attention_mask"] == [1] * tokenizer.num_special_tokens_to_add()
        assert tokenizer.encode("", add_special_tokens=False) == []
        assert tokenizer([])["input_ids"] == []
        assert len(tokenizer.encode("", "")) == tokenizer.num_special_tokens_to_add()

    def test_batch_equals_single_texts(self) -> None:
        tokenizer = self.get_tokenizer()
        texts = self.all_texts(tokenizer)
        batch = tokenizer(texts)
        for row, text in enumerate(texts):
            single = tokenizer(text)
            assert {name: rows[row] for name, rows in batch.items()} == dict(single)
            assert batch.tokens(row) == single.tokens()
            assert batch.sequence_ids(row) == single.sequence_ids()

    def test_input_names(self) -> None:
        tokenizer = self.get_tokenizer()
        assert list(tokenizer("fox")) == list(tokenizer.default_input_names)
        assert list(tokenizer("fox", return_attention_mask=False, return_token_type_ids=False)) == ["input_ids"]
        assert tokenizer("fox").input_ids == tokenizer("fox")["input_ids"]

    def test_pairs(self) -> None:
        tokenizer = self.get_tokenizer()
        first, second = "the quick fox", "a lazy dog"
        pair = tokenizer(first, second, return_token_type_ids=True, return_special_tokens_mask=True)
        ids_of_texts = [
            index for index, special in zip(pair["input_ids"], pair["special_tokens_mask"], strict=True) if not special
        ]
        assert ids_of_texts == [
            *tokenizer.encode(first, add_special_tokens=False),
            *tokenizer.encode(second, add_special_tokens=False),
        ]
        assert sum(pair["special_tokens_mask"]) == tokenizer.num_special_tokens_to_add(pair=True)
        assert len(pair["token_type_ids"]) == len(pair["input_ids"])
        assert {0, 1} <= set(pair.sequence_ids())
        batch = tokenizer([first, second], [second, first])
        assert batch["input_ids"] == [tokenizer.encode(first, second), tokenizer.encode(second, first)]
        assert tokenizer([(first, second)])["input_ids"] == [tokenizer.encode(first, second)]

    def test_padding_sides(self) -> None:
        tokenizer = self.get_tokenizer(padding_side="right")
        texts = ["the quick brown fox jumps", "fox"]
        plain = tokenizer(texts)["input_ids"]
        missing = len(plain[0]) - len(plain[1])
        right = tokenizer(texts, padding=True)
        assert right["input_ids"] == [plain[0], plain[1] + [tokenizer.pad_token_id] * missing]
        assert right["attention_mask"] == [[1] * len(plain[0]), [1] * len(plain[1]) + [0] * missing]
        tokenizer.padding_side = "left"
        left = tokenizer(texts, padding=True)
        assert left["input_ids"] == [plain[0], [tokenizer.pad_token_id] * missing + plain[1]]
        assert left["attention_mask"] == [[1] * len(plain[0]), [0] * missing + [1] * len(plain[1])]
        assert dict(tokenizer(texts, padding=True, padding_side="right")) == dict(right)

    def test_padding_lengths(self) -> None:
        tokenizer = self.get_tokenizer()
        assert len(tokenizer.encode("fox", padding="max_length", max_length=17)) == 17
        assert len(tokenizer.encode("fox", padding=True, pad_to_multiple_of=8)) == 8
        padded = tokenizer(["fox", "the fox"], padding="longest", return_tensors="pt")
        assert padded["input_ids"].shape == padded["attention_mask"].shape
        assert tokenizer("fox", return_tensors="pt")["input_ids"].shape[0] == 1
        with pytest.raises(ValueError, match="max_length"):
            tokenizer("fox", padding="max_length")
        with pytest.raises(ValueError, match="padding=True"):
            tokenizer(["fox", "the quick brown fox"], return_tensors="pt")

    def test_pad_equals_padding_in_a_call(self) -> None:
        tokenizer = self.get_tokenizer()
        texts = ["the quick brown fox jumps", "", "fox"]
        for side in ("right", "left"):
            tokenizer.padding_side = side
            expected = dict(tokenizer(texts, padding=True, pad_to_multiple_of=4))
            assert dict(tokenizer.pad([tokenizer(text) for text in texts], pad_to_multiple_of=4)) == expected
            assert dict(tokenizer.pad(tokenizer(texts), pad_to_multiple_of=4)) == expected

    def test_padding_needs_a_padding_token(self) -> None:
        tokenizer = self.get_tokenizer()
        tokenizer.pad_token = None
        with pytest.raises(ValueError, match="padding token"):
            tokenizer(["fox", "the fox"], padding=True)

    def test_truncation(self) -> None:
        tokenizer = self.get_tokenizer()
        text = "the quick brown fox jumps over the lazy dog"
        special_tokens = tokenizer.num_special_tokens_to_add()
        ids = tokenizer.encode(text, add_special_tokens=False)
        for length in range(special_tokens + 1, len(ids)):
            truncated = tokenizer(text, truncation=True, max_length=length, return_special_tokens_mask=True)
            assert len(truncated["input_ids"]) == length
            kept = [
                index
                for index, special in zip(truncated["input_ids"], truncated["special_tokens_mask"], strict=True)
                if not special
            ]
            assert kept == ids[: length - special_tokens]
        tokenizer.truncation_side = "left"
        assert tokenizer.encode(text, max_length=3, add_special_tokens=False) == ids[-3:]

    def test_truncation_uses_the_length_of_the_model(self) -> None:
        tokenizer = self.get_tokenizer(model_max_length=6)
        text = "the quick brown fox jumps over the lazy dog"
        assert len(tokenizer.encode(text, truncation=True)) == 6
        assert len(tokenizer.encode(text)) > 6
        assert len(tokenizer.encode("", padding="max_length")) == 6
        unlimited = self.get_tokenizer()
        assert unlimited.encode(text, truncation=True) == unlimited.encode(text)

    def test_truncation_of_pairs(self) -> None:
        tokenizer = self.get_tokenizer()
        first, second = "the quick brown fox jumps over", "a lazy dog"
        full = tokenizer.encode(first, second)
        for strategy in (True, "longest_first", "only_first"):
            assert len(tokenizer.encode(first, second, truncation=strategy, max_length=len(full) - 2)) == len(full) - 2
        only_second = tokenizer(first, second, truncation="only_second", max_length=len(full) - 1)
        assert only_second.sequence_ids().count(0) == len(tokenizer.encode(first, add_special_tokens=False))

    def test_overflowing_tokens_cover_the_text(self) -> None:
        tokenizer = self.get_tokenizer()
        texts = ["the quick brown fox jumps over the lazy dog", "fox"]
        windows = tokenizer(texts, truncation=True, max_length=8, stride=2, return_overflowing_tokens=True)
        sources = windows["overflow_to_sample_mapping"]
        assert sources == sorted(sources) and set(sources) == {0, 1} and sources.count(0) > 1
        assert all(len(ids) <= 8 for ids in windows["input_ids"])
        seen = {index for ids in windows["input_ids"] for index in ids}
        assert set(tokenizer.encode(texts[0])) <= seen

    def test_one_call_leaves_no_settings_behind(self) -> None:
        tokenizer = self.get_tokenizer()
        before = dict(tokenizer("the quick brown fox"))
        tokenizer(["the quick brown fox", ""], padding="max_length", truncation=True, max_length=5)
        assert dict(tokenizer("the quick brown fox")) == before

    def test_words_and_offsets(self) -> None:
        tokenizer = self.get_tokenizer(add_prefix_space=True)
        words = ["the", "quick", "unhappiest", "fox"]
        split = tokenizer(words, is_split_into_words=True, return_special_tokens_mask=True)
        word_ids = [index for index in split.word_ids() if index is not None]
        assert sorted(set(word_ids)) == [0, 1, 2, 3] and word_ids == sorted(word_ids)
        assert tokenizer([words, words], is_split_into_words=True)["input_ids"] == [split["input_ids"]] * 2
        text = "the quick fox"
        offsets = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
        # A space that is a token of its own comes from the character behind it.
        in_text = [
            offset for offset, token in zip(offsets, tokenizer.tokenize(text), strict=True) if token != "\u2581"
        ]
        assert "".join(text[start:end].strip() for start, end in in_text) == "thequickfox"

    def test_bad_input_is_refused(self) -> None:
        tokenizer: Any = self.get_tokenizer()
        for text in (None, 3, ["fox", None], "\ud800"):
            with pytest.raises(TypeError):
                tokenizer(text)
        with pytest.raises(TypeError, match="text_pair"):
            tokenizer(["fox"], "dog")
        with pytest.raises(ValueError, match="as many"):
            tokenizer(["fox"], ["dog", "cat"])
        with pytest.raises(ValueError, match="padding must be one of"):
            tokenizer("fox", padding="shortest")
        with pytest.raises(ValueError, match="truncation must be one of"):
            tokenizer("fox", truncation="middle")
        with pytest.raises(ValueError, match="return_tensors"):
            tokenizer("fox", return_tensors="tf")
        with pytest.raises(ValueError, match="padding_side"):
            self.get_tokenizer(padding_side="top")
        with pytest.raises(ValueError, match="max_length"):
            tokenizer("fox", truncation=True, max_length=0)

    def test_added_tokens(self) -> None:
        tokenizer = self.get_tokenizer()
        size = len(tokenizer)
        assert tokenizer.add_tokens(["<one>", AddedToken("<two>", lstrip=True)]) == 2
        assert tokenizer.add_tokens(["<one>"]) == 0
        assert tokenizer.add_special_tokens({"pad_token": "<padding>"}) == 1
        assert len(tokenizer) == size + 3
        assert tokenizer.tokenize("the<one>fox <two>")[-1] == "<two>"
        assert tokenizer.pad_token_id == size + 2
        with pytest.raises(ValueError, match="special token"):
            tokenizer.add_special_tokens({"no_token": "x"})

    def check_same(self, one: PreTrainedTokenizer, other: PreTrainedTokenizer) -> None:
        """Assert that two tokenizers do the same with every text."""
        assert type(one) is type(other)
        assert one.special_tokens_map == other.special_tokens_map
        assert one.get_vocab() == other.get_vocab()
        texts = self.all_texts(one)
        padding = one.pad_token is not None
        assert dict(one(texts, padding=padding)) == dict(other(texts, padding=padding))
        assert dict(one(texts, texts[::-1])) == dict(other(texts, texts[::-1]))
        assert one.model_max_length == other.model_max_length
        assert one.padding_side == other.padding_side

    def test_save_and_load(self, tmp_path: Path) -> None:
        tokenizer = self.get_tokenizer(model_max_length=128, padding_side="left", own_option={"kept": 1})
        tokenizer.add_tokens(["<one>", AddedToken("<two>", lstrip=True)])
        files = tokenizer.save_pretrained(tmp_path / "new" / "folder")
        assert all(path.is_file() for path in files)
        loaded = self.tokenizer_class.from_pretrained(tmp_path / "new" / "folder")
        self.check_same(tokenizer, loaded)
        assert loaded.options["own_option"] == {"kept": 1}
        loaded.save_pretrained(tmp_path / "again")
        for path in files:
            assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes()

    def test_load_from_the_vocabulary_files_alone(self, tmp_path: Path) -> None:
        tokenizer = self.get_tokenizer()
        tokenizer.add_tokens(["<one>", AddedToken("<two>", lstrip=True)])
        tokenizer.save_pretrained(tmp_path)
        (tmp_path / "tokenizer.json").unlink()
        self.check_same(tokenizer, self.tokenizer_class.from_pretrained(tmp_path))

    def test_load_without_a_tokenizer_config(self, tmp_path: Path) -> None:
        self.get_tokenizer().save_pretrained(tmp_path)
        (tmp_path / "tokenizer_config.json").unlink()
        from_pipeline = self.tokenizer_class.from_pretrained(tmp_path)
        (tmp_path / "tokenizer.json").unlink()
        self.check_same(self.tokenizer_class.from_pretrained(tmp_path), from_pipeline)

    def test_options_win_over_files(self, tmp_path: Path) -> None:
        self.get_tokenizer(model_max_length=128).save_pretrained(tmp_path)
        loaded = self.tokenizer_class.from_pretrained(tmp_path, model_max_length=9, padding_side="left")
        assert loaded.model_max_length == 9 and loaded.padding_side == "left"

    def test_padding_settings_in_a_file_have_no_effect(self, tmp_path: Path) -> None:
        tokenizer = self.get_tokenizer()
        expected = tokenizer.encode("the quick brown fox")
        tokenizer.backend.enable_padding(length=50)
        tokenizer.backend.enable_truncation(3)
        tokenizer.save_pretrained(tmp_path)
        assert self.tokenizer_class.from_pretrained(tmp_path).encode("the quick brown fox") == expected

    def test_tokens_in_the_files_of_older_checkpoints(self, tmp_path: Path) -> None:
        tokenizer = self.get_tokenizer()
        tokenizer.save_pretrained(tmp_path)
        (tmp_path / "tokenizer.json").unlink()
        (tmp_path / "tokenizer_config.json").unlink()
        mask_token = {"content": "<hide>", "lstrip": True, "rstrip": False, "normalized": False, "single_word": False}
        (tmp_path / "special_tokens_map.json").write_text(json.dumps({"mask_token": mask_token}), encoding="utf-8")
        (tmp_path / "added_tokens.json").write_text(json.dumps({"<hide>": len(tokenizer)}), encoding="utf-8")
        loaded = self.tokenizer_class.from_pretrained(tmp_path)
        assert loaded.mask_token == "<hide>" and loaded.mask_token_id == len(tokenizer)
        # The space before the token belongs to it.
        fox = loaded.encode("fox", add_special_tokens=False)
        assert loaded.encode("fox <hide>", add_special_tokens=False) == [*fox, len(tokenizer)]

    def test_missing_and_broken_files(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match="tokenizer.json"):
            self.tokenizer_class.from_pretrained(tmp_path)
        (tmp_path / "tokenizer.json").write_text("{}", encoding="utf-8")
        with pytest.raises(ValueError, match="tokenizer.json"):
            self.tokenizer_class.from_pretrained(tmp_path)
        (tmp_path / "tokenizer_config.json").write_text("[", encoding="utf-8")
        with pytest.raises(ValueError, match="tokenizer_config.json"):
            self.tokenizer_class.from_pretrained(tmp_path)

    def test_saved_ids_of_added_tokens_must_fit(self, tmp_path: Path) -> None:
        tokenizer = self.get_tokenizer()
        tokenizer.add_tokens(["<one>"])
        tokenizer.save_pretrained(tmp_path)
        (tmp_path / "tokenizer.json").unlink()
        config_file = tmp_path / "tokenizer_config.json"
        text = config_file.read_text(encoding="utf-8").replace(f'"{len(tokenizer) - 1}":', '"5000":')
        config_file.write_text(text, encoding="utf-8")
        with pytest.raises(ValueError, match="<one>"):
            self.tokenizer_class.from_pretrained(tmp_path)

    def test_push_to_hub(self, monkeypatch: pytest.MonkeyPatch) -> None:
        uploaded: dict[str, list[str]] = {}

        class FakeHub:
            def __init__(self, token: str | bool | None) -> None:
                self.token = token

            def create_repo(self, repo_id: str, private: bool | None, exist_ok: bool) -> str:
                return f"https://hub/{repo_id}"

            def upload_folder(self, repo_id: str, folder_path: str, commit_message: str) -> None:
                uploaded[repo_id] = sorted(path.name for path in Path(folder_path).iterdir())

        monkeypatch.setattr(tokenization_utils, "HfApi", FakeHub)
        assert self.get_tokenizer().push_to_hub("someone/tokenizer") == "https://hub/someone/tokenizer"
        vocabulary_files = self.tokenizer_class.vocabulary_files.values()
        assert uploaded["someone/tokenizer"] == sorted(["tokenizer.json", "tokenizer_config.json", *vocabulary_files])

    def test_base_class_runs_any_pipeline(self, tmp_path: Path) -> None:
        tokenizer = self.get_tokenizer()
        tokenizer.save_pretrained(tmp_path)
        loaded = PreTrainedTokenizer.from_pretrained(tmp_path)
        assert [loaded.encode(text) for text in TRAINING_TEXTS] == [tokenizer.encode(text) for text in TRAINING_TEXTS]

    def test_pickle(self) -> None:
        tokenizer = self.get_tokenizer()
        self.check_same(tokenizer, pickle.loads(pickle.dumps(tokenizer)))
        batch = tokenizer(["the fox"], return_tensors="pt").to("cpu")
        assert batch.input_ids.shape == batch.attention_mask.shape
