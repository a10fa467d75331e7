"""Configuration of XLNet."""

from typing import Any, ClassVar

from ...configuration_utils import PreTrainedConfig

ATTENTION_TYPES = ("bi", "uni")
SUMMARY_TYPES = ("last", "first", "mean")


class XLNetConfig(PreTrainedConfig):
    """What has to be known to build an XLNet model; the architecture is that of https://arxiv.org/abs/1906.08237.

    The keys are those of the published checkpoints, and the defaults give the large model of the paper. The names
    `hidden_size`, `num_attention_heads`, `num_hidden_layers` and `n_token` mean `d_model`, `n_head`, `n_layer` and
    `vocab_size`. A text may have any length: positions are relative.

    Attributes:
        vocab_size: number of tokens in the vocabulary.
        d_model: length of the vector of a token; even, and a multiple of `n_head`.
        n_layer: number of layers.
        n_head: number of attention heads in a layer.
        d_inner: length of the vector between the two halves of a layer's feed-forward block.
        d_head: length of the vector of a token in a head: `d_model / n_head`, which is taken when missing.
        ff_activation: name of the activation function of the feed-forward block.
        attn_type: "bi" attends to both sides, as XLNet; "uni" to earlier tokens only, as Transformer-XL.
        initializer_range: standard deviation of the initial weights.
        layer_norm_eps: added to the variance in every layer normalisation.
        dropout: probability of dropping a value of a layer or an attention probability, in training.
        mem_len: how many tokens the memories keep, the last ones; `None` or 0 keeps all of them.
        reuse_len: how many tokens of a text go into the memories, the first ones; `None` or 0 takes all of them.
        use_mems_eval, use_mems_train: whether the model returns memories, in evaluation and in training.
        bi_data: whether the second half of every batch holds texts that are read backwards, as in pretraining.
        clamp_len: greatest distance that is told apart; -1 tells all of them apart.
        same_length: whether "uni" attention reaches back equally far from every token.
        summary_type: which vector stands for a whole text: that of its "last" or "first" token, or the "mean".
        summary_use_proj: whether that vector goes through a layer of its own before the classifier.
        summary_activation: name of the activation function of that layer, or `None`.
        summary_last_dropout: probability of dropping one of its values before the classifier, in training.
    """

    model_type: ClassVar[str] = "xlnet"
    attribute_map: ClassVar[dict[str, str]] = {
        "n_token": "vocab_size",
        "hidden_size": "d_model",
        "num_attention_heads": "n_head",
        "num_hidden_layers": "n_layer",
    }

    n_token: int
    hidden_size: int
    num_attention_heads: int
    num_hidden_layers: int

    def __init__(
        self,
        *,
        vocab_size: int = 32000,
        d_model: int = 1024,
        n_layer: int = 24,
        n_head: int = 16,
        d_inner: int = 4096,
        d_head: int | None = None,
        ff_activation: str = "gelu",
        attn_type: str = "bi",
        initializer_range: float = 0.02,
        layer_norm_eps: float = 1e-12,
        dropout: float = 0.1,
        mem_len: int | None = 512,
        reuse_len: int | None = None,
        use_mems_eval: bool = True,
        use_mems_train: bool = False,
        bi_data: bool = False,
        clamp_len: int = -1,
        same_length: bool = False,
        summary_type: str = "last",
        summary_use_proj: bool = True,
        summary_activation: str | None = "tanh",
        summary_last_dropout: float = 0.1,
        pad_token_id: int | None = 5,
        bos_token_id: int | None = 1,
        eos_token_id: int | list[int] | None = 2,
        **kwargs: Any,
    ) -> None:
        if attn_type not in ATTENTION_TYPES:
            raise ValueError(f"attn_type must be one of {', '.join(ATTENTION_TYPES)}, not {attn_type!r}")
        if summary_type not in SUMMARY_TYPES:
            raise ValueError(f"summary_type must be one of {', '.join(SUMMARY_TYPES)}, not {summary_type!r}")
        self.vocab_size = vocab_size
        self.d_model = d_model
        self.n_layer = n_layer
        self.n_head = n_head
        self.d_inner = d_inner
        self.ff_activation = ff_activation
        self.attn_type = attn_type
        self.initializer_range = initializer_range
        self.layer_norm_eps = layer_norm_eps
        self.dropout = dropout
        self.mem_len = mem_len
        self.reuse_len = reuse_len
        self.use_mems_eval = use_mems_eval
        self.use_mems_train = use_mems_train
        self.bi_data = bi_data
        self.clamp_len = clamp_len
        self.same_length = same_length
        self.summary_type = summary_type
        self.summary_use_proj = summary_use_proj
        self.summary_activation = summary_activation
        self.summary_last_dropout = summary_last_dropout
        super().__init__(pad_token_id=pad_token_id, bos_token_id=bos_token_id, eos_token_id=eos_token_id, **kwargs)
        # Last, for the sizes may come under their other names.
        if self.n_head < 1 or self.d_model % self.n_head != 0:
            raise ValueError(f"d_model ({self.d_model}) must be a multiple of n_head ({self.n_head})")
        self.d_head = self.d_model // self.n_head if d_head is None else d_head
        if self.d_head * self.n_head != self.d_model:
            raise ValueError(f"d_head ({d_head}) must be d_model ({self.d_model}) divided by n_head ({self.n_head})")
