"""Configuration of ConvNeXt."""

from collections.abc import Sequence
from typing import Any

from ...backbone_utils import BackboneConfigMixin


class ConvNextConfig(BackboneConfigMixin):
    """What has to be known to build a ConvNeXt model; the architecture is that of https://arxiv.org/abs/2201.03545.

    The keys are those of the published checkpoints, and the defaults give the architecture of the paper's tiny
    size (section 3).

    Attributes:
        num_channels: number of colours of a pixel.
        patch_size: height and width of the patches that the stem cuts an image into, one number if both are equal.
        num_stages: number of stages; from one to the next, height and width are halved.
        hidden_sizes: number of channels in every stage.
        depths: number of layers in every stage.
        hidden_act: name of the activation function between a layer's two linear maps.
        initializer_range: standard deviation of the initial weights.
        layer_norm_eps: what the layer normalisation of the pooled vector adds to the variance; those inside the stages
            add 1e-6, whatever is configured.
        layer_scale_init_value: initial factor of every channel that a layer adds; layers have no factors when it is 0.
        drop_path_rate: probability of leaving out the last layer for an image, in training; that of the layers before
            it rises evenly from 0.
        image_size: height and width of the images that the checkpoint was trained on; the model takes others as well.
        out_features, out_indices: names or indices of the stages whose maps the backbone returns, "stem", "stage1",
            "stage2" and so on; the last stage when neither is given.
    """

    model_type = "convnext"
    attribute_map = {"num_hidden_layers": "num_stages"}

    def __init__(
        self,
        *,
        num_channels: int = 3,
        patch_size: int | Sequence[int] = 4,
        num_stages: int = 4,
        hidden_sizes: Sequence[int] = (96, 192, 384, 768),
        depths: Sequence[int] = (3, 3, 9, 3),
        hidden_act: str = "gelu",
        initializer_range: float = 0.02,
        layer_norm_eps: float = 1e-12,
        layer_scale_init_value: float = 1e-6,
        drop_path_rate: float = 0.0,
        image_size: int | Sequence[int] = 224,
        **kwargs: Any,
    ) -> None:
        self.num_channels = num_channels
        self.patch_size = patch_size if isinstance(patch_size, int) else list(patch_size)
        self.num_stages = num_stages
        self.hidden_sizes = list(hidden_sizes)
        self.depths = list(depths)
        self.hidden_act = hidden_act
        self.initializer_range = initializer_range
        self.layer_norm_eps = layer_norm_eps
        self.layer_scale_init_value = layer_scale_init_value
        self.drop_path_rate = drop_path_rate
        self.image_size = image_size if isinstance(image_size, int) else list(image_size)
        self.stage_names = ["stem", *(f"stage{index + 1}" for index in range(len(self.depths)))]
        super().__init__(**kwargs)
