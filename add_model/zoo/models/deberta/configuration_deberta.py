"""Configuration of DeBERTa."""

from typing import Any

from ...configuration_utils import PreTrainedConfig

POSITION_TERMS = ("c2p", "p2c")


class DebertaConfig(PreTrainedConfig):
    """What has to be known to build a DeBERTa model; the architecture is that of https://arxiv.org/abs/2006.03654.

    The keys and defaults are those of the published checkpoints' library. The published checkpoints set
    `relative_attention` to true, `position_biased_input` to false and `pos_att_type` to both terms, "c2p|p2c".

    Attributes:
        vocab_size: number of tokens in the vocabulary.
        hidden_size: length of the vector of a token; a multiple of `num_attention_heads`.
        num_hidden_layers: number of layers.
        num_attention_heads: number of attention heads in a layer.
        intermediate_size: length of the vector between the two halves of a layer's feed-forward block.
        hidden_act: name of the activation function of the feed-forward block and of the masked language model's head.
        hidden_dropout_prob: probability of dropping a value of the embeddings, of an attention block's output, or of
            a feed-forward block's output, in training.
        attention_probs_dropout_prob: probability of dropping an attention probability, in training.
        max_position_embeddings: greatest number of tokens in a text, where positions are added to the embeddings.
        type_vocab_size: number of segments that `token_type_ids` can tell apart; 0 for no segments.
        initializer_range: standard deviation of the initial weights.
        layer_norm_eps: what the layer normalisations add to the variance.
        relative_attention: whether attention knows how far tokens stand apart.
        max_relative_positions: distance from which on tokens stand equally far apart; less than 1 stands for
            `max_position_embeddings`.
        position_biased_input: whether the position of a token is added to its embedding.
        pos_att_type: terms of attention scores from positions: "c2p", how a token attends to a distance, and "p2c",
            how a distance attends to a token. A list, or a text with "|" between them.
        pooler_dropout: probability of dropping a value of the first token before it stands for the whole text.
        pooler_hidden_act: name of the activation function behind that.
        pooler_hidden_size: length of the vector of the whole text; `hidden_size` if missing.
        legacy: whether the masked language model has BERT's head, with a decoder of its own; false for the head that
            the model was published with.
    """

    model_type = "deberta"

    def __init__(
        self,
        *,
        vocab_size: int = 50265,
        hidden_size: int = 768,
        num_hidden_layers: int = 12,
        num_attention_heads: int = 12,
        intermediate_size: int = 3072,
        hidden_act: str = "gelu",
        hidden_dropout_prob: float = 0.1,
        attention_probs_dropout_prob: float = 0.1,
        max_position_embeddings: int = 512,
        type_vocab_size: int = 0,
        initializer_range: float = 0.02,
        layer_norm_eps: float = 1e-7,
        relative_attention: bool = False,
        max_relative_positions: int = -1,
        position_biased_input: bool = True,
        pos_att_type: str | list[str] | None = None,
        pooler_dropout: float = 0.0,
        pooler_hidden_act: str = "gelu",
        pooler_hidden_size: int | None = None,
        legacy: bool = True,
        pad_token_id: int | None = 0,
        **kwargs: Any,
    ) -> None:
        if isinstance(pos_att_type, str):
            pos_att_type = [term.strip() for term in pos_att_type.lower().split("|")]
        unknown = sorted(set(pos_att_type or ()) - set(POSITION_TERMS))
        if unknown:
            raise ValueError(f"unknown pos_att_type {unknown[0]!r}; known are: {', '.join(POSITION_TERMS)}")
        self.vocab_size = vocab_size
        self.hidden_size = hidden_size
        self.num_hidden_layers = num_hidden_layers
        self.num_attention_heads = num_attention_heads
        self.intermediate_size = intermediate_size
        self.hidden_act = hidden_act
        self.hidden_dropout_prob = hidden_dropout_prob
        self.attention_probs_dropout_prob = attention_probs_dropout_prob
        self.max_position_embeddings = max_position_embeddings
        self.type_vocab_size = type_vocab_size
        self.initializer_range = initializer_range
        self.layer_norm_eps = layer_norm_eps
        self.relative_attention = relative_attention
        self.max_relative_positions = max_relative_positions
        self.position_biased_input = position_biased_input
        self.pos_att_type = pos_att_type
        self.pooler_dropout = pooler_dropout
        self.pooler_hidden_act = pooler_hidden_act
        self.pooler_hidden_size = hidden_size if pooler_hidden_size is None else pooler_hidden_size
        self.legacy = legacy
        super().__init__(pad_token_id=pad_token_id, **kwargs)
