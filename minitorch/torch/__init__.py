"""PyTorch's semantics and module layout over minitorch: ``import minitorch.torch as torch``.

`tensor` wraps a Tensor of the core; `elementwise`, `shapes`, `indexing`, `reductions`, `ordering`, `linalg` and
`creation` have the functions, `methods` makes methods of them; `nn`, `optim`, `utils`, `autograd`, `cuda`, `linalg`
are the modules that scripts import; `runner` runs scripts unchanged.
"""

# isort: skip_file
# fmt: off
from . import amp, autograd, backends, cuda, linalg, nn, optim, utils
from .autograd import enable_grad, inference_mode, is_grad_enabled, no_grad, set_grad_enabled
from .methods import attach as attach
from .elementwise import (
    abs, acos, add, addcdiv, addcmul, arccos, arcsin, arctan, asin, atan, atan2, ceil, clamp, clamp_max,
    clamp_min, cos, cosh, div, erf, exp, expm1, floor, floor_divide, fmod, frac, lerp, log, log10, log1p,
    log2, masked_fill, maximum, minimum, mul, neg, positive, pow, reciprocal, relu, remainder, round, rsqrt,
    sigmoid, sign, sin, sinh, sqrt, square, sub, tan, tanh, trunc, where,
)
from .comparison import (
    allclose, bitwise_and, bitwise_left_shift, bitwise_not, bitwise_or, bitwise_right_shift, bitwise_xor, eq,
    equal, ge, greater, greater_equal, gt, isclose, isfinite, isinf, isnan, le, less, less_equal, logical_and,
    logical_not, logical_or, logical_xor, lt, nan_to_num, ne, not_equal, signbit,
)
from .shapes import (
    broadcast_tensors, broadcast_to, clone, flatten, flip, fliplr, flipud, moveaxis, movedim, permute, ravel,
    repeat_interleave, reshape, roll, rot90, squeeze, swapaxes, swapdims, t, tile, transpose, unflatten,
    unsqueeze,
)
from .joining import (
    cat, chunk, concat, concatenate, diag, diagonal, hsplit, hstack, narrow, select, split, stack, tril, triu,
    unbind, vsplit, vstack,
)
from .indexing import (
    argwhere, gather, index_add, index_copy, index_fill, index_select, masked_scatter, masked_select, nonzero,
    scatter, scatter_add, take, take_along_dim,
)
from .reductions import (
    all, amax, amin, aminmax, any, argmax, argmin, count_nonzero, log_softmax, logsumexp, max, mean, min,
    nanmean, nansum, norm, one_hot, prod, softmax, std, std_mean, sum, var, var_mean,
)
from .ordering import (
    argsort, bincount, bucketize, cummax, cummin, cumprod, cumsum, diff, histc, kthvalue, median, quantile,
    searchsorted, sort, topk, unique, unique_consecutive,
)
from .creation import (
    Generator, arange, as_tensor, asarray, bernoulli, cartesian_prod, empty, empty_like, eye, from_minitorch,
    from_numpy, full, full_like, get_rng_state, initial_seed, linspace, logspace, manual_seed, meshgrid,
    multinomial, normal, ones, ones_like, rand, rand_like, randint, randint_like, randn, randn_like, randperm,
    seed, set_rng_state, tensor, tril_indices, triu_indices, zeros, zeros_like,
)
from .composed import (
    addmv, atleast_1d, atleast_2d, atleast_3d, block_diag, chain_matmul, column_stack, combinations, corrcoef,
    cov, cross, deg2rad, dist, dstack, exp2, heaviside, hypot, index_put, is_nonzero, isin, logaddexp, logit,
    mode, msort, rad2deg, real, sinc, tensor_split, trapezoid, trapz, vander, xlogy,
)
from .linalg import (
    addmm, baddbmm, bmm, cdist, det, dot, einsum, ger, inv, inverse, kron, matmul, matrix_power, mm, mv,
    outer, pinv, qr, slogdet, svd, tensordot, trace,
)
from .misc import (
    ByteTensor, DoubleTensor, FloatTensor, IntTensor, LongTensor, broadcast_shapes, can_cast, channels_last,
    compile, contiguous_format,
    e, get_num_threads, inf, is_floating_point, is_tensor, nan, numel, pi, preserve_format,
    set_float32_matmul_precision, set_num_interop_threads, set_num_threads, use_deterministic_algorithms,
    version,
)
from .serialization import load, save
from .show import set_printoptions
from .runner import install
from .dtypes import (
    Size, bfloat16, device, double, dtype, finfo, float16, float32, float64, get_default_dtype, half, iinfo,
    int8, int16, int32, int64, long, promote_types, set_default_dtype, short, uint8,
)
from .dtypes import bool_ as bool
from .dtypes import float32 as float
from .dtypes import int32 as int
from .elementwise import abs as absolute
from .elementwise import clamp as clip
from .elementwise import div as divide
from .elementwise import div as true_divide
from .elementwise import mul as multiply
from .elementwise import neg as negative
from .elementwise import result_type
from .elementwise import sub as subtract
from .misc import version_number as __version__
from .inplace import relu_
from .nn.activations import celu, dropout, prelu, selu, threshold
from .nn.linear_maps import bilinear, conv1d, conv2d, conv_transpose2d, embedding
from .nn.activations import alpha_dropout as alpha_dropout
from .nn.activations import celu_ as celu_
from .nn.activations import feature_alpha_dropout as feature_alpha_dropout
from .nn.activations import hardshrink as hardshrink
from .nn.activations import rrelu as rrelu
from .nn.activations import rrelu_ as rrelu_
from .nn.activations import selu_ as selu_
from .nn.activations import threshold_ as threshold_
from .nn.linear_maps import conv_transpose1d as conv_transpose1d
from .nn.norm_functions import group_norm as group_norm
from .nn.norm_functions import rms_norm as rms_norm
from .nn.pooling_functions import adaptive_avg_pool1d as adaptive_avg_pool1d
from .nn.pooling_functions import avg_pool1d as avg_pool1d
from .nn.margin_functions import pairwise_distance as pairwise_distance
from .nn.margin_functions import pdist as pdist
from .nn.resizing import pixel_unshuffle as pixel_unshuffle
from .nn.volumes import conv3d as conv3d
from .nn.volumes import conv_transpose3d as conv_transpose3d
from .nn.volumes import max_pool3d as max_pool3d
from .nn.norm_functions import layer_norm
from .nn.pooling_functions import max_pool1d, max_pool2d
from .nn.resizing import channel_shuffle, pixel_shuffle
from .nn.loss_functions import cosine_similarity
from .tensor import Tensor, strided

__all__ = [
    "ByteTensor", "DoubleTensor", "FloatTensor", "Generator", "IntTensor", "LongTensor", "Size", "Tensor",
    "__version__", "abs", "absolute", "acos", "add", "addcdiv", "addcmul", "addmm", "addmv", "all", "allclose",
    "amax", "amin", "aminmax", "amp", "any", "arange", "arccos", "arcsin", "arctan", "argmax", "argmin",
    "argsort", "argwhere", "as_tensor", "asarray", "asin", "atan", "atan2", "atleast_1d", "atleast_2d",
    "atleast_3d", "autograd", "backends", "baddbmm", "bernoulli", "bfloat16", "bilinear", "bincount",
    "bitwise_and", "bitwise_left_shift", "bitwise_not", "bitwise_or", "bitwise_right_shift", "bitwise_xor",
    "block_diag", "bmm", "bool", "broadcast_shapes", "broadcast_tensors", "broadcast_to", "bucketize", "can_cast",
    "cartesian_prod", "cat", "cdist", "ceil", "celu", "chain_matmul", "channel_shuffle", "channels_last", "chunk",
    "clamp", "clamp_max", "clamp_min", "clip", "clone", "column_stack", "combinations", "compile", "concat",
    "concatenate", "contiguous_format", "conv1d", "conv2d", "conv_transpose2d", "corrcoef", "cos", "cosh",
    "cosine_similarity", "count_nonzero", "cov", "cross", "cuda", "cummax", "cummin", "cumprod", "cumsum",
    "deg2rad", "det", "device", "diag", "diagonal", "diff", "dist", "div", "divide", "dot", "double", "dropout",
    "dstack", "dtype", "e", "einsum", "embedding", "empty", "empty_like", "enable_grad", "eq", "equal", "erf",
    "exp", "exp2", "expm1", "eye", "finfo", "flatten", "flip", "fliplr", "flipud", "float", "float16", "float32",
    "float64", "floor", "floor_divide", "fmod", "frac", "from_minitorch", "from_numpy", "full", "full_like",
    "gather", "ge", "ger", "get_default_dtype", "get_num_threads", "get_rng_state", "greater", "greater_equal",
    "gt", "half", "heaviside", "histc", "hsplit", "hstack", "hypot", "iinfo", "index_add", "index_copy",
    "index_fill", "index_put", "index_select", "inf", "inference_mode", "initial_seed", "install", "int", "int8",
    "int16", "int32", "int64", "inv", "inverse", "is_floating_point", "is_grad_enabled", "is_nonzero",
    "is_tensor", "isclose", "isfinite", "isin", "isinf", "isnan", "kron", "kthvalue", "layer_norm", "le", "lerp",
    "less", "less_equal", "linalg", "linspace", "load", "log", "log1p", "log2", "log10", "log_softmax",
    "logaddexp", "logical_and", "logical_not", "logical_or", "logical_xor", "logit", "logspace", "logsumexp",
    "long", "lt", "manual_seed", "masked_fill", "masked_scatter", "masked_select", "matmul", "matrix_power",
    "max", "max_pool1d", "max_pool2d", "maximum", "mean", "median", "meshgrid", "min", "minimum", "mm", "mode",
    "moveaxis", "movedim", "msort", "mul", "multinomial", "multiply", "mv", "nan", "nan_to_num", "nanmean",
    "nansum", "narrow", "ne", "neg", "negative", "nn", "no_grad", "nonzero", "norm", "normal", "not_equal",
    "numel", "one_hot", "ones", "ones_like", "optim", "outer", "permute", "pi", "pinv", "pixel_shuffle",
    "positive", "pow", "prelu", "preserve_format", "prod", "promote_types", "qr", "quantile", "rad2deg", "rand",
    "rand_like", "randint", "randint_like", "randn", "randn_like", "randperm", "ravel", "real", "reciprocal",
    "relu", "relu_", "remainder", "repeat_interleave", "reshape", "result_type", "roll", "rot90", "round",
    "rsqrt", "save", "scatter", "scatter_add", "searchsorted", "seed", "select", "selu", "set_default_dtype",
    "set_float32_matmul_precision", "set_grad_enabled", "set_num_interop_threads", "set_num_threads",
    "set_printoptions", "set_rng_state", "short", "sigmoid", "sign", "signbit", "sin", "sinc", "sinh", "slogdet",
    "softmax", "sort", "split", "sqrt", "square", "squeeze", "stack", "std", "std_mean", "strided", "sub",
    "subtract", "sum", "svd", "swapaxes", "swapdims", "t", "take", "take_along_dim", "tan", "tanh", "tensor",
    "tensor_split", "tensordot", "threshold", "tile", "topk", "trace", "transpose", "trapezoid", "trapz", "tril",
    "tril_indices", "triu", "triu_indices", "true_divide", "trunc", "uint8", "unbind", "unflatten", "unique",
    "unique_consecutive", "unsqueeze", "use_deterministic_algorithms", "utils", "vander", "var", "var_mean",
    "version", "vsplit", "vstack", "where", "xlogy", "zeros", "zeros_like",
]
