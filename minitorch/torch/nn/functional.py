"""``torch.nn.functional``: the functions of layers and losses, gathered from the files beside this one."""

from ..elementwise import sigmoid as sigmoid
from ..elementwise import tanh as tanh
from ..reductions import one_hot as one_hot
from .activations import *
from .attention_functions import multi_head_attention_forward as multi_head_attention_forward
from .embedding_functions import embedding_bag as embedding_bag
from .linear_maps import bilinear as bilinear
from .linear_maps import conv1d as conv1d
from .linear_maps import conv2d as conv2d
from .linear_maps import conv_transpose1d as conv_transpose1d
from .linear_maps import conv_transpose2d as conv_transpose2d
from .linear_maps import embedding as embedding
from .linear_maps import linear as linear
from .loss_functions import *
from .margin_functions import *
from .norm_functions import *
from .pooling_functions import *
from .resizing import *
from .sampling import *
from .sequence_functions import *
from .volumes import *
