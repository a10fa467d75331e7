"""Configuration of DistilBERT."""

from typing import Any, ClassVar

from ...configuration_utils import PreTrainedConfig


class DistilBertConfig(PreTrainedConfig):
    """What has to be known to build a DistilBERT model; the architecture is that of https://arxiv.org/abs/1910.01108.

    The keys are those of the published checkpoints, and the defaults give the architecture of the paper. The names
    `hidden_size`, `num_attention_heads` and `num_hidden_layers` mean `dim`, `n_heads` and `n_layers`.

    Attributes:
        vocab_size: number of tokens in the vocabulary.
        max_position_embeddings: greatest number of tokens in a text.
        sinusoidal_pos_embds: whether the embeddings of the positions start as sines and cosines.
        n_layers: number of layers.
        n_heads: number of attention heads in a layer.
        dim: length of the vector of a token; a multiple of `n_heads`.
        hidden_dim: length of the vector between the two halves of a layer's feed-forward block.
        dropout: probability of dropping a value of the embeddings, of a feed-forward block's output, or before the
            classifier of tokens, in training.
        attention_dropout: probability of dropping an attention probability, in training.
        activation: name of the activation function of the feed-forward block and of the masked language model's head.
        initializer_range: standard deviation of the initial weights.
        qa_dropout: probability of dropping a value before the layer that marks answers.
        seq_classif_dropout: probability of dropping a value before a classifier of texts.
    """

    model_type: ClassVar[str] = "distilbert"
    attribute_map: ClassVar[dict[str, str]] = {
        "hidden_size": "dim",
        "num_attention_heads": "n_heads",
        "num_hidden_layers": "n_layers",
    }

    hidden_size: int
    num_attention_heads: int
    num_hidden_layers: int

    def __init__(
        self,
        *,
        vocab_size: int = 30522,
        max_position_embeddings: int = 512,
        sinusoidal_pos_embds: bool = False,
        n_layers: int = 6,
        n_heads: int = 12,
        dim: int = 768,
        hidden_dim: int = 3072,
        dropout: float = 0.1,
        attention_dropout: float = 0.1,
        activation: str = "gelu",
        initializer_range: float = 0.02,
        qa_dropout: float = 0.1,
        seq_classif_dropout: float = 0.2,
        pad_token_id: int | None = 0,
        **kwargs: Any,
    ) -> None:
        self.vocab_size = vocab_size
        self.max_position_embeddings = max_position_embeddings
        self.sinusoidal_pos_embds = sinusoidal_pos_embds
        self.n_layers = n_layers
        self.n_heads = n_heads
        self.dim = dim
        self.hidden_dim = hidden_dim
        self.dropout = dropout
        self.attention_dropout = attention_dropout
        self.activation = activation
        self.initializer_range = initializer_range
        self.qa_dropout = qa_dropout
        self.seq_classif_dropout = seq_classif_dropout
        super().__init__(pad_token_id=pad_token_id, **kwargs)
