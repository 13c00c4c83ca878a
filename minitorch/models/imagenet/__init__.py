"""Networks for photographs, of the 1000 classes of ImageNet: torchvision's architectures, and EfficientNet-Lite0.

Names of parameters and defaults are torchvision's, so its weight files load without renaming. Each function makes a
network with random weights; ``pretrained=True`` loads the published ones, ``weights=PATH`` those of a file.
"""

from .inception import InceptionOutputs
from .preprocess import Preprocess
from .registry import IMAGENET_MODELS, class_names
from .weights import find_weights

__all__ = ["IMAGENET_MODELS", "InceptionOutputs", "Preprocess", "class_names", "find_weights"]
