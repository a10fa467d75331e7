"""ImageGPT in plain PyTorch: the decoder of colours and its heads.

The architecture is described in "Generative Pretraining from Pixels"
(https://cdn.openai.com/papers/Generative_Pretraining_from_Pixels_V2.pdf). An image is a text here: its pixels, row by row,
are ids of colours from a palette, and one more id stands before the first pixel. Parameter names and shapes are those of
the published checkpoints.
"""

import math
from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from ...activations import get_activation
from ...configuration_utils import PreTrainedConfig
from ...generation_utils import GenerationMixin
from ...key_value_cache import KeyValueCache
from ...modeling_outputs import (
    BaseModelOutputWithPastAndCrossAttentions,
    CausalLMOutputWithCrossAttentions,
    SequenceClassifierOutput,
)
from ...modeling_utils import PreTrainedModel
from .configuration_imagegpt import ImageGPTConfig


# Copied from add_model.zoo.models.bert.modeling_bert.expand_attention_mask
def expand_attention_mask(attention_mask: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Turn an attention mask into numbers to add to attention scores: 0 to attend, the lowest number of `dtype` not to.

    Args:
        attention_mask: 1 or true to attend, 0 or false for padding: `(batch, key_length)`, or one decision for every
            pair of tokens, `(batch, 1 or heads, query_length, key_length)`. Four dimensions of floating-point numbers
            are taken as they are: numbers to add.
        dtype: the data type of the scores.

    Returns:
        A mask that broadcasts to `(batch, heads, query_length, key_length)`.

    Raises:
        ValueError: the mask has neither two nor four dimensions.
    """
    if attention_mask.dim() == 2:
        attention_mask = attention_mask[:, None, None, :] != 0
    elif attention_mask.dim() != 4:
        raise ValueError(f"an attention mask has two or four dimensions, not the shape {tuple(attention_mask.shape)}")
    elif attention_mask.is_floating_point():
        return attention_mask.to(dtype)
    additive_mask = torch.zeros(attention_mask.shape, dtype=dtype, device=attention_mask.device)
    return additive_mask.masked_fill(attention_mask == 0, torch.finfo(dtype).min)


# Copied from add_model.zoo.models.gpt2.modeling_gpt2.make_causal_mask
def make_causal_mask(
    attention_mask: torch.Tensor | None, query_length: int, key_length: int, dtype: torch.dtype, device: torch.device
) -> torch.Tensor:
    """Return what is added to the attention scores, so that no token attends to padding or to a later token.

    Args:
        attention_mask: 1 for tokens and 0 for padding, `(batch, key_length)`; or four dimensions as in
            `expand_attention_mask`, which replace the causal mask; or `None`.
        query_length: number of new tokens. They are the last ones of the keys.
        key_length: number of all tokens, those in the cache included.
        dtype: data type of the attention scores.
        device: device of the attention scores.

    Returns:
        0 where attention is allowed and the lowest number of `dtype` elsewhere,
        `(batch or 1, 1 or heads, query_length, key_length)`.

    Raises:
        ValueError: the attention mask does not have one of these shapes.
    """
    if attention_mask is not None and attention_mask.dim() == 4:
        return expand_attention_mask(attention_mask, dtype)
    key_positions = torch.arange(key_length, device=device)
    query_positions = torch.arange(key_length - query_length, key_length, device=device)
    is_allowed = (key_positions[None, :] <= query_positions[:, None])[None, None, :, :]
    if attention_mask is not None:
        if attention_mask.dim() != 2 or attention_mask.shape[1] != key_length:
            raise ValueError(
                f"the attention mask must have the shape (batch, {key_length}), one value for every token "
                f"including those in the cache, not {tuple(attention_mask.shape)}"
            )
        is_allowed = is_allowed & (attention_mask != 0)[:, None, None, :]
    return expand_attention_mask(is_allowed, dtype)


# Copied from add_model.zoo.models.bert.modeling_bert.eager_attention
def eager_attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float,
    dropout: float,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Attention written out: `softmax(query key^T * scaling + mask) value` (https://arxiv.org/abs/1706.03762).

    Args:
        query: `(batch, heads, query_length, head_size)`.
        key, value: `(batch, heads, key_length, head_size)`.
        attention_mask: numbers to add to the scores, as `expand_attention_mask` returns them.
        scaling: factor of the scores.
        dropout: probability of dropping an attention probability; 0 outside training.

    Returns:
        The attended values, `(batch, heads, query_length, head_size)`, and the attention probabilities,
        `(batch, heads, query_length, key_length)`.
    """
    attention_scores = torch.matmul(query, key.transpose(-1, -2)) * scaling
    if attention_mask is not None:
        attention_scores = attention_scores + attention_mask
    attention_probabilities = functional.softmax(attention_scores, dim=-1)
    attention_probabilities = functional.dropout(attention_probabilities, p=dropout)
    return torch.matmul(attention_probabilities, value), attention_probabilities


# Copied from add_model.zoo.models.bert.modeling_bert.sdpa_attention
def sdpa_attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float,
    dropout: float,
) -> torch.Tensor:
    """Attention by PyTorch's fused function, which keeps no probabilities; otherwise the same as `eager_attention`."""
    return functional.scaled_dot_product_attention(
        query, key, value, attn_mask=attention_mask, dropout_p=dropout, scale=scaling
    )


# Copied from add_model.zoo.models.vit.modeling_vit.image_classification_loss
def image_classification_loss(logits: torch.Tensor, labels: torch.Tensor, config: PreTrainedConfig) -> torch.Tensor:
    """Return the loss of a classifier of images.

    The configuration's `problem_type` chooses it: "regression" is the mean squared error, "single_label_classification"
    the cross-entropy, "multi_label_classification" the binary cross-entropy of every label. `None` stands for
    regression if there is one label, for a single label if the labels are integers, for several labels otherwise.

    Args:
        logits: `(batch, num_labels)`.
        labels: class indices, `(batch,)`; values to predict, `(batch,)` or `(batch, num_labels)`; or 0 or 1 for every
            label, `(batch, num_labels)`.
        config: gives `num_labels` and `problem_type`.
    """
    num_labels = config.num_labels
    problem_type = config.problem_type
    if problem_type is None:
        if num_labels == 1:
            problem_type = "regression"
        elif labels.dtype in (torch.int32, torch.int64):
            problem_type = "single_label_classification"
        else:
            problem_type = "multi_label_classification"
    if problem_type == "regression":
        if num_labels == 1:
            return functional.mse_loss(logits.squeeze(), labels.squeeze())
        return functional.mse_loss(logits, labels)
    if problem_type == "single_label_classification":
        return functional.cross_entropy(logits.view(-1, num_labels), labels.view(-1))
    return functional.binary_cross_entropy_with_logits(logits, labels)


class ImageGPTLayerNorm(nn.Module):
    """Layer normalisation that leaves the mean where it is: it divides by the root of the mean square, and has no bias."""

    def __init__(self, hidden_size: int, eps: float) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(hidden_size))

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        """Normalise the last dimension of a tensor of any shape."""
        # The root of the mean square by way of the length of the vector, which keeps no squares for the gradient.
        length = torch.linalg.vector_norm(hidden_states, dim=-1, keepdim=True)
        root_mean_square = length / math.sqrt(hidden_states.shape[-1])
        normalised: torch.Tensor = hidden_states * torch.rsqrt(root_mean_square.square() + self.eps)
        return normalised * self.weight


# Copied from add_model.zoo.models.gpt2.modeling_gpt2.GPT2Conv1D with GPT2->ImageGPT
class ImageGPTConv1D(nn.Module):
    """A linear layer whose weight is stored as `(input_size, output_size)`, the transpose of `nn.Linear`'s.

    The published checkpoints store it so, because their layers were written as convolutions of width one.
    """

    def __init__(self, input_size: int, output_size: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(input_size, output_size))
        self.bias = nn.Parameter(torch.zeros(output_size))

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        """Map `(..., input_size)` to `(..., output_size)`."""
        return functional.linear(hidden_states, self.weight.t(), self.bias)


# Copied from add_model.zoo.models.gpt2.modeling_gpt2.GPT2Attention with GPT2->ImageGPT
class ImageGPTAttention(nn.Module):
    """Causal self-attention with several heads; query, key and value come from one projection."""

    def __init__(self, config: ImageGPTConfig, layer_index: int) -> None:
        super().__init__()
        hidden_size = config.hidden_size
        if hidden_size % config.num_attention_heads != 0:
            raise ValueError(f"n_embd ({hidden_size}) must be a multiple of n_head ({config.num_attention_heads})")
        self.config = config
        self.layer_index = layer_index
        self.num_attention_heads = config.num_attention_heads
        self.attention_head_size = hidden_size // self.num_attention_heads
        self.scaling = 1.0
        if config.scale_attn_weights:
            self.scaling /= math.sqrt(self.attention_head_size)
        if config.scale_attn_by_inverse_layer_idx:
            self.scaling /= layer_index + 1
        self.c_attn = ImageGPTConv1D(hidden_size, 3 * hidden_size)
        self.c_proj = ImageGPTConv1D(hidden_size, hidden_size)
        self.resid_dropout = nn.Dropout(config.resid_pdrop)

    # Copied from add_model.zoo.models.bert.modeling_bert.BertSelfAttention.split_heads
    def split_heads(self, projection: torch.Tensor) -> torch.Tensor:
        """`(batch, length, hidden_size)` to `(batch, heads, length, head_size)`."""
        batch, length, _ = projection.shape
        heads = projection.view(batch, length, self.num_attention_heads, self.attention_head_size)
        return heads.transpose(1, 2)

    def forward(
        self,
        hidden_states: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        past_key_values: KeyValueCache | None = None,
        output_attentions: bool = False,
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Return the output, `(batch, length, hidden_size)`, and the attention probabilities if they are asked for."""
        query, key, value = self.c_attn(hidden_states).chunk(3, dim=-1)
        query = self.split_heads(query)
        key = self.split_heads(key)
        value = self.split_heads(value)
        if past_key_values is not None:
            key, value = past_key_values.update(self.layer_index, key, value)

        dropout = self.config.attn_pdrop if self.training else 0.0
        probabilities: torch.Tensor | None = None
        if output_attentions or self.config.attention_implementation == "eager":
            if self.config.reorder_and_upcast_attn:
                # Scores of half precision lose digits where they are large, so all this is computed in float32.
                query, key, value = query.float(), key.float(), value.float()
            context, probabilities = eager_attention(query, key, value, attention_mask, self.scaling, dropout)
            context = context.to(hidden_states.dtype)
            probabilities = probabilities.to(hidden_states.dtype)
        else:
            context = sdpa_attention(query, key, value, attention_mask, self.scaling, dropout)

        context = context.transpose(1, 2).reshape(hidden_states.shape)
        output = self.resid_dropout(self.c_proj(context))
        return output, probabilities


# Copied from add_model.zoo.models.gpt2.modeling_gpt2.GPT2MLP with GPT2->ImageGPT
class ImageGPTMLP(nn.Module):
    """The feed-forward network of a block."""

    def __init__(self, config: ImageGPTConfig) -> None:
        super().__init__()
        hidden_size = config.hidden_size
        inner_size = config.n_inner if config.n_inner is not None else 4 * hidden_size
        self.c_fc = ImageGPTConv1D(hidden_size, inner_size)
        self.activation = get_activation(config.activation_function)
        self.c_proj = ImageGPTConv1D(inner_size, hidden_size)
        self.dropout = nn.Dropout(config.resid_pdrop)

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        hidden_states = self.c_fc(hidden_states)
        hidden_states = self.activation(hidden_states)
        hidden_states = self.c_proj(hidden_states)
        hidden_states = self.dropout(hidden_states)
        return hidden_states


# Copied from add_model.zoo.models.gpt2.modeling_gpt2.GPT2Block with GPT2->ImageGPT, nn.LayerNorm->ImageGPTLayerNorm
class ImageGPTBlock(nn.Module):
    """Self-attention and a feed-forward network, each behind a layer normalisation and around a residual."""

    def __init__(self, config: ImageGPTConfig, layer_index: int) -> None:
        super().__init__()
        self.ln_1 = ImageGPTLayerNorm(config.hidden_size, eps=config.layer_norm_epsilon)
        self.attn = ImageGPTAttention(config, layer_index)
        self.ln_2 = ImageGPTLayerNorm(config.hidden_size, eps=config.layer_norm_epsilon)
        self.mlp = ImageGPTMLP(config)

    def forward(
        self,
        hidden_states: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        past_key_values: KeyValueCache | None = None,
        output_attentions: bool = False,
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Return the output, `(batch, length, hidden_size)`, and the attention probabilities if they are asked for."""
        attention_output, probabilities = self.attn(
            self.ln_1(hidden_states), attention_mask, past_key_values, output_attentions
        )
        hidden_states = hidden_states + attention_output
        hidden_states = hidden_states + self.mlp(self.ln_2(hidden_states))
        return hidden_states, probabilities


class ImageGPTPreTrainedModel(PreTrainedModel):
    """What all ImageGPT models share: the configuration class and the initial weights."""

    config_class = ImageGPTConfig
    base_model_prefix = "transformer"
    # Older checkpoints hold the causal mask as a buffer of every layer.
    _ignored_checkpoint_keys: ClassVar[tuple[str, ...]] = (r"\.attn\.bias$", r"\.attn\.masked_bias$")

    config: ImageGPTConfig

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, (nn.Linear, nn.Embedding, ImageGPTConv1D)):
            nn.init.normal_(module.weight, mean=0.0, std=self.config.initializer_range)
            bias = getattr(module, "bias", None)
            if bias is not None:
                nn.init.zeros_(bias)
        elif isinstance(module, ImageGPTLayerNorm):
            nn.init.ones_(module.weight)
        elif isinstance(module, (ImageGPTAttention, ImageGPTMLP)):
            # As in GPT-2: the residual stream sums up two outputs of every block, and should not grow by that.
            std = self.config.initializer_range / math.sqrt(2 * self.config.num_hidden_layers)
            nn.init.normal_(module.c_proj.weight, mean=0.0, std=std)


class ImageGPTModel(ImageGPTPreTrainedModel):
    """The decoder without a head.

    Raises:
        ValueError: the configuration asks for cross-attention, which this model does not have.
    """

    def __init__(self, config: ImageGPTConfig) -> None:
        super().__init__(config)
        if config.add_cross_attention:
            raise ValueError("this model has no cross-attention; set add_cross_attention to False in its config")
        self.wte = nn.Embedding(config.vocab_size, config.hidden_size)
        self.wpe = nn.Embedding(config.max_position_embeddings, config.hidden_size)
        self.drop = nn.Dropout(config.embd_pdrop)
        self.h = nn.ModuleList([ImageGPTBlock(config, index) for index in range(config.num_hidden_layers)])
        self.ln_f = ImageGPTLayerNorm(config.hidden_size, eps=config.layer_norm_epsilon)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.wte

    def set_input_embeddings(self, embeddings: nn.Module) -> None:
        assert isinstance(embeddings, nn.Embedding)
        self.wte = embeddings

    def embed(
        self,
        input_ids: torch.Tensor | None,
        inputs_embeds: torch.Tensor | None,
        position_ids: torch.Tensor | None,
        token_type_ids: torch.Tensor | None,
        past_length: int,
    ) -> torch.Tensor:
        """Return the sum of the embeddings of colours, positions and types, `(batch, length, hidden_size)`.

        Raises:
            ValueError: neither or both of ids and embeddings are given, there are no images, the image has more pixels
                than there are positions, or an id is not in the vocabulary.
        """
        if (input_ids is None) == (inputs_embeds is None):
            raise ValueError("pass either input_ids or inputs_embeds")
        if input_ids is not None:
            if input_ids.dim() != 2 or input_ids.numel() == 0:
                raise ValueError(
                    f"input_ids must have the shape (batch, length) with at least one id, not {tuple(input_ids.shape)}"
                )
            lowest, highest = (int(bound) for bound in input_ids.aminmax())
            if lowest < 0 or highest >= self.config.vocab_size:
                raise ValueError(
                    f"input_ids must be from 0 to {self.config.vocab_size - 1}, the last colour or the id that starts an "
                    f"image; found {lowest if lowest < 0 else highest}"
                )
            inputs_embeds = self.wte(input_ids)
        assert inputs_embeds is not None
        length = inputs_embeds.shape[1]
        if position_ids is None:
            position_ids = torch.arange(past_length, past_length + length, device=inputs_embeds.device)[None, :]
        last_position = int(position_ids.max())
        if last_position >= self.config.max_position_embeddings:
            raise ValueError(
                f"an image of {last_position + 1} pixels is larger than the {self.config.max_position_embeddings} "
                "positions of the model (n_positions); make it smaller"
            )
        embeddings: torch.Tensor = inputs_embeds + self.wpe(position_ids)
        if token_type_ids is not None:
            # Types have no embedding of their own: they are ids of the vocabulary.
            embeddings = embeddings + self.wte(token_type_ids)
        return embeddings

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        token_type_ids: torch.Tensor | None = None,
        position_ids: torch.Tensor | None = None,
        inputs_embeds: torch.Tensor | None = None,
        past_key_values: KeyValueCache | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> BaseModelOutputWithPastAndCrossAttentions:
        """Compute the hidden states of the new pixels.

        Args:
            input_ids: ids of colours, row by row, `(batch, length)`; with a cache only the pixels that it does not hold.
                The id `vocab_size - 1` starts an image.
            attention_mask: 1 for pixels and 0 for padding, `(batch, length)`, pixels in the cache included; or 1 for
                every pair of pixels that may attend, `(batch, 1 or heads, length, length with cache)`.
            token_type_ids: ids of the vocabulary whose embeddings are added, `(batch, length)`.
            position_ids: position of every pixel, `(batch, length)`; counted from the end of the cache if missing.
            inputs_embeds: embeddings instead of `input_ids`, `(batch, length, hidden_size)`.
            past_key_values: the cache of the pixels before; it is extended in place.
            use_cache: whether to return a cache, `config.use_cache` if missing.
            output_attentions: whether to return the attention probabilities.
            output_hidden_states: whether to return the hidden states of all layers. The last of them has passed the
                final layer normalisation.

        Raises:
            ValueError: see `embed`, or the attention mask has a wrong shape.
        """
        use_cache = self.config.use_cache if use_cache is None else use_cache
        output_attentions = self.config.output_attentions if output_attentions is None else output_attentions
        output_hidden_states = (
            self.config.output_hidden_states if output_hidden_states is None else output_hidden_states
        )
        if use_cache and past_key_values is None:
            past_key_values = KeyValueCache()
        past_length = 0 if past_key_values is None else past_key_values.sequence_length

        hidden_states = self.embed(input_ids, inputs_embeds, position_ids, token_type_ids, past_length)
        hidden_states = self.drop(hidden_states)
        length = hidden_states.shape[1]
        causal_mask = make_causal_mask(
            attention_mask, length, past_length + length, hidden_states.dtype, hidden_states.device
        )

        all_hidden_states: list[torch.Tensor] = []
        all_attentions: list[torch.Tensor] = []
        for block in self.h:
            if output_hidden_states:
                all_hidden_states.append(hidden_states)
            hidden_states, probabilities = block(hidden_states, causal_mask, past_key_values, output_attentions)
            if probabilities is not None:
                all_attentions.append(probabilities)
        hidden_states = self.ln_f(hidden_states)
        if output_hidden_states:
            all_hidden_states.append(hidden_states)

        return BaseModelOutputWithPastAndCrossAttentions(
            last_hidden_state=hidden_states,
            past_key_values=past_key_values if use_cache else None,
            hidden_states=tuple(all_hidden_states) if output_hidden_states else None,
            attentions=tuple(all_attentions) if output_attentions else None,
        )


class ImageGPTForCausalImageModeling(ImageGPTPreTrainedModel, GenerationMixin):
    """ImageGPT with a layer that scores the colour of the next pixel; the id that starts an image is none of them."""

    _tied_weights_keys: ClassVar[dict[str, str]] = {"lm_head.weight": "transformer.wte.weight"}

    def __init__(self, config: ImageGPTConfig) -> None:
        super().__init__(config)
        self.transformer = ImageGPTModel(config)
        self.lm_head = nn.Linear(config.hidden_size, config.vocab_size - 1, bias=False)
        self.post_init()

    def get_output_embeddings(self) -> nn.Module:
        return self.lm_head

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        token_type_ids: torch.Tensor | None = None,
        position_ids: torch.Tensor | None = None,
        inputs_embeds: torch.Tensor | None = None,
        past_key_values: KeyValueCache | None = None,
        labels: torch.Tensor | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        logits_to_keep: int = 0,
    ) -> CausalLMOutputWithCrossAttentions:
        """Score the colour after every pixel; for the other arguments see `ImageGPTModel.forward`.

        Args:
            labels: ids of colours, `(batch, length)`, usually the input ids themselves: they are shifted here, so that
                every position predicts the label after it. Labels of -100 do not count.
            logits_to_keep: how many positions, the last ones, get scores, when there are no labels; 0 means all.

        Raises:
            ValueError: see `ImageGPTModel.forward`, or a label behind the first is the id that starts an image.
        """
        outputs = self.transformer(
            input_ids=input_ids,
            attention_mask=attention_mask,
            token_type_ids=token_type_ids,
            position_ids=position_ids,
            inputs_embeds=inputs_embeds,
            past_key_values=past_key_values,
            use_cache=use_cache,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
        )
        logits = self.lm_head(outputs.last_hidden_state[:, -logits_to_keep:])

        loss: torch.Tensor | None = None
        if labels is not None:
            # The scores of a pixel are about the one after it. Moving the labels copies less than moving the scores.
            next_labels = functional.pad(labels[:, 1:], (0, 1), value=-100)
            if int(next_labels.max()) >= logits.shape[-1]:
                raise ValueError(
                    f"labels are colours from 0 to {logits.shape[-1] - 1}, not {int(next_labels.max())}; the id that "
                    "starts an image can only stand first"
                )
            loss = functional.cross_entropy(logits.flatten(0, 1), next_labels.flatten())
        return CausalLMOutputWithCrossAttentions(
            loss=loss,
            logits=logits,
            past_key_values=outputs.past_key_values,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )


class ImageGPTForImageClassification(ImageGPTPreTrainedModel):
    """ImageGPT with a classifier of whole images, which reads the mean of all pixels."""

    def __init__(self, config: ImageGPTConfig) -> None:
        super().__init__(config)
        self.transformer = ImageGPTModel(config)
        self.score = nn.Linear(config.hidden_size, config.num_labels, bias=False)
        self.post_init()

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        token_type_ids: torch.Tensor | None = None,
        position_ids: torch.Tensor | None = None,
        inputs_embeds: torch.Tensor | None = None,
        past_key_values: KeyValueCache | None = None,
        labels: torch.Tensor | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> SequenceClassifierOutput:
        """Score every label for every image; for the other arguments see `ImageGPTModel.forward`.

        Args:
            labels: class indices, `(batch,)`; numbers, `(batch,)` or `(batch, num_labels)`, for a regression; zeros
                and ones, `(batch, num_labels)`, when several labels can hold at once.
        """
        outputs = self.transformer(
            input_ids=input_ids,
            attention_mask=attention_mask,
            token_type_ids=token_type_ids,
            position_ids=position_ids,
            inputs_embeds=inputs_embeds,
            past_key_values=past_key_values,
            use_cache=use_cache,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
        )
        # As published, the mean is that of all positions, padding included: images have none.
        logits = self.score(outputs.last_hidden_state.mean(dim=1))

        loss: torch.Tensor | None = None
        if labels is not None:
            loss = image_classification_loss(logits, labels, self.config)
        return SequenceClassifierOutput(
            loss=loss,
            logits=logits,
            past_key_values=outputs.past_key_values,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
