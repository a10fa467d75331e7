"""Text generation: the key/value cache of decoders and greedy search."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import torch

from .configuration_utils import PreTrainedConfig

DEFAULT_NEW_TOKENS = 20

KeyValue = tuple[torch.Tensor, torch.Tensor]


class KeyValueCache:
    """The keys and values that a decoder has already computed, layer by layer.

    Self-attention adds the keys and values of the new tokens with `update` and attends to all of them.
    Cross-attention computes its keys and values from the encoder's output once, stores them with
    `set_cross_attention`, and reads them with `get_cross_attention` from then on.

    All tensors are `(batch, heads, length, head_size)`.
    """

    def __init__(self) -> None:
        self.self_attention: dict[int, KeyValue] = {}
        self.cross_attention: dict[int, KeyValue] = {}

    def __len__(self) -> int:
        """The number of layers that self-attention has filled."""
        return len(self.self_attention)

    @property
    def sequence_length(self) -> int:
        """How many tokens the cache holds. Read it before the first layer adds the new ones."""
        if not self.self_attention:
            return 0
        key, _ = next(iter(self.self_attention.values()))
        return key.shape[2]

    def update(self, layer_index: int, key: torch.Tensor, value: torch.Tensor) -> KeyValue:
        """Append keys and values of new tokens to a layer, and return those of all its tokens."""
        if layer_index in self.self_attention:
            past_key, past_value = self.self_attention[layer_index]
            key = torch.cat((past_key, key), dim=2)
            value = torch.cat((past_value, value), dim=2)
        self.self_attention[layer_index] = (key, value)
        return key, value

    def set_cross_attention(self, layer_index: int, key: torch.Tensor, value: torch.Tensor) -> None:
        """Store a layer's keys and values of the encoder's output."""
        self.cross_attention[layer_index] = (key, value)

    def get_cross_attention(self, layer_index: int) -> KeyValue | None:
        """Return a layer's keys and values of the encoder's output, or `None` before they were stored."""
        return self.cross_attention.get(layer_index)


class GenerationMixin:
    """Adds `generate` to a language model.

    A decoder's `forward` takes `input_ids`, `attention_mask`, `past_key_values` and `use_cache`, and `position_ids`
    when its positions must follow the attention mask. An encoder-decoder's `forward` takes `encoder_outputs`,
    `attention_mask` (of the encoder), `decoder_input_ids`, `past_key_values` and `use_cache`, and the model has a
    method `get_encoder`. Both return an output with `logits` and `past_key_values`.
    """

    if TYPE_CHECKING:

        @property
        def config(self) -> PreTrainedConfig: ...
        def __call__(self, *args: Any, **kwargs: Any) -> Any: ...
        def forward(self, *args: Any, **kwargs: Any) -> Any: ...
        def get_encoder(self) -> Any: ...

    @torch.no_grad()
    def generate(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        *,
        max_length: int | None = None,
        max_new_tokens: int | None = None,
        use_cache: bool = True,
        pad_token_id: int | None = None,
        eos_token_id: int | list[int] | None = None,
        decoder_start_token_id: int | None = None,
    ) -> torch.Tensor:
        """Continue every text with the most probable token at each step (greedy search).

        Args:
            input_ids: the prompts of a decoder, or the encoder's inputs of an encoder-decoder, `(batch, length)`.
                Prompts of different lengths are padded on the left.
            attention_mask: 1 for tokens, 0 for padding, `(batch, length)`. Found from the padding token if missing.
            max_length: limit of the whole result in tokens, prompt or start token included. Without any limit,
                `config.max_length` if the configuration has it, otherwise 20 tokens are generated, or fewer where
                `config.max_position_embeddings` ends the text.
            max_new_tokens: limit of the generated tokens; use instead of `max_length`.
            use_cache: whether to keep keys and values between steps. Changes the speed, not the result.
            pad_token_id, eos_token_id, decoder_start_token_id: replace the configuration's.

        Returns:
            Token ids, `(batch, new_length)`: prompt and continuation of a decoder; start token and text of an
            encoder-decoder. A text that ended early is filled up with the padding token.

        Raises:
            ValueError: both limits are given, the limit leaves no room for a new token, or a special token that is
                needed is not known.
        """
        end_tokens = _as_list(self.config.eos_token_id if eos_token_id is None else eos_token_id)
        pad_token = self.config.pad_token_id if pad_token_id is None else pad_token_id
        if attention_mask is None:
            attention_mask = _attention_mask_from_padding(input_ids, pad_token, end_tokens)
        if pad_token is None and end_tokens:
            pad_token = end_tokens[0]

        model_inputs: dict[str, Any] = {"attention_mask": attention_mask}
        generated_ids = input_ids
        if self.config.is_encoder_decoder:
            start = self.config.decoder_start_token_id if decoder_start_token_id is None else decoder_start_token_id
            if start is None:
                raise ValueError("generation needs a first token: set config.decoder_start_token_id")
            model_inputs["encoder_outputs"] = self.get_encoder()(input_ids, attention_mask=attention_mask)
            generated_ids = input_ids.new_full((input_ids.shape[0], 1), start)

        limit = self._length_limit(generated_ids.shape[1], max_length, max_new_tokens)
        return self._greedy_search(generated_ids, model_inputs, limit, use_cache, pad_token, end_tokens)

    def _greedy_search(
        self,
        generated_ids: torch.Tensor,
        model_inputs: dict[str, Any],
        limit: int,
        use_cache: bool,
        pad_token: int | None,
        end_tokens: list[int],
    ) -> torch.Tensor:
        past_key_values = KeyValueCache() if use_cache else None
        is_finished = torch.zeros(generated_ids.shape[0], dtype=torch.bool, device=generated_ids.device)
        ends = torch.tensor(end_tokens, dtype=generated_ids.dtype, device=generated_ids.device)
        while generated_ids.shape[1] < limit and not bool(is_finished.all()):
            step_inputs = self.prepare_inputs_for_generation(generated_ids, past_key_values, **model_inputs)
            outputs = self(**step_inputs, past_key_values=past_key_values, use_cache=use_cache)
            next_ids: torch.Tensor = outputs.logits[:, -1].argmax(dim=-1)
            next_ids = self._force_token(next_ids, generated_ids.shape[1], limit)
            if pad_token is not None:
                next_ids = next_ids.masked_fill(is_finished, pad_token)
            generated_ids = torch.cat((generated_ids, next_ids[:, None]), dim=1)
            is_finished = is_finished | torch.isin(next_ids, ends)
            if not self.config.is_encoder_decoder:
                mask = model_inputs["attention_mask"]
                model_inputs["attention_mask"] = torch.cat((mask, mask.new_ones(mask.shape[0], 1)), dim=1)
        return generated_ids

    def prepare_inputs_for_generation(
        self,
        generated_ids: torch.Tensor,
        past_key_values: KeyValueCache | None,
        attention_mask: torch.Tensor,
        encoder_outputs: Any = None,
    ) -> dict[str, Any]:
        """Return the arguments of the next forward pass; with a cache these hold only the tokens it has not seen.

        Args:
            generated_ids: all ids so far, `(batch, length)`.
            past_key_values: the cache, or `None` to compute everything again.
            attention_mask: the mask of `generated_ids` in a decoder, of the encoder's input in an encoder-decoder.
            encoder_outputs: what the encoder returned, in an encoder-decoder.
        """
        already_seen = 0 if past_key_values is None else past_key_values.sequence_length
        new_ids = generated_ids[:, already_seen:]
        if self.config.is_encoder_decoder:
            return {
                "decoder_input_ids": new_ids,
                "attention_mask": attention_mask,
                "encoder_outputs": encoder_outputs,
            }
        model_inputs: dict[str, Any] = {"input_ids": new_ids, "attention_mask": attention_mask}
        if "position_ids" in inspect.signature(self.forward).parameters:
            # Padding on the left must not count, so that each text's first token stands at position 0.
            position_ids = (attention_mask.long().cumsum(dim=-1) - 1).clamp(min=0)
            model_inputs["position_ids"] = position_ids[:, already_seen:]
        return model_inputs

    def _length_limit(self, start_length: int, max_length: int | None, max_new_tokens: int | None) -> int:
        if max_new_tokens is not None and max_length is not None:
            raise ValueError("pass either max_length or max_new_tokens, not both")
        if max_new_tokens is not None:
            limit = start_length + max_new_tokens
        elif max_length is not None:
            limit = max_length
        else:
            limit = getattr(self.config, "max_length", None) or start_length + DEFAULT_NEW_TOKENS
            limit = min(limit, getattr(self.config, "max_position_embeddings", limit))
        if limit <= start_length:
            raise ValueError(
                f"a limit of {limit} tokens leaves no room after a prompt of {start_length}; raise max_length or "
                "max_new_tokens, or shorten the prompt"
            )
        return limit

    def _force_token(self, next_ids: torch.Tensor, position: int, limit: int) -> torch.Tensor:
        """Replace the chosen ids, `(batch,)`, where the configuration prescribes the token of this position."""
        if self.config.forced_bos_token_id is not None and position == 1:
            next_ids = torch.full_like(next_ids, self.config.forced_bos_token_id)
        if self.config.forced_eos_token_id is not None and position == limit - 1:
            next_ids = torch.full_like(next_ids, _as_list(self.config.forced_eos_token_id)[0])
        return next_ids


def _as_list(token_ids: int | list[int] | None) -> list[int]:
    if token_ids is None:
        return []
    return [token_ids] if isinstance(token_ids, int) else list(token_ids)


def _attention_mask_from_padding(
    input_ids: torch.Tensor, pad_token: int | None, end_tokens: list[int]
) -> torch.Tensor:
    if pad_token is None or pad_token in end_tokens:
        # A padding token that also ends texts may be a part of the text.
        return torch.ones_like(input_ids)
    return (input_ids != pad_token).long()
