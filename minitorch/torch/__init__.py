"""PyTorch's semantics and module layout over minitorch: ``import minitorch.torch as torch``.

`tensor` wraps a Tensor of the core; `elementwise`, `shapes`, `indexing`, `reductions`, `ordering`, `linalg`, `creation`
and `functions` have the functions, `methods` makes methods of them; `nn`, `optim`, `utils`, `autograd`, `func`, `cuda`,
`linalg`, `special` are among the modules that scripts import; `runner` runs scripts unchanged.
"""

# isort: skip_file
# fmt: off
from . import (
    amp, autograd, backends, cuda, distributions, fft, func, linalg, nn, optim, random, return_types,
    special, testing, utils,
)
from .autograd import enable_grad, inference_mode, is_grad_enabled, no_grad, set_grad_enabled
from .methods import attach as attach
from .functions.out import (
    abs, absolute, acos, add, addcdiv, addcmul, addmm, addmv, addr, all, amax, amin, any, arange, arccos,
    arcsin, arctan, arctan2, argmax, argmin, asin, atan, atan2, baddbmm, bitwise_and, bitwise_not, bitwise_or,
    bitwise_xor, bmm, cat, ceil, clamp, clip, concat, concatenate, copysign, cos, cosh, cummax, cummin,
    cumprod, cumsum, diag, div, divide, dot, eq, erf, exp, exp2, expm1, eye, floor, floor_divide, fmod, frac,
    full, ge, gt, hstack, hypot, le, lerp, linspace, log, log10, log1p, log2, logaddexp, logical_and,
    logical_not, logical_or, logical_xor, logsumexp, lt, matmul, max, maximum, mean, min, minimum, mm, mul,
    multiply, mv, ne, neg, negative, ones, outer, pow, prod, rand, randint, randn, randperm, reciprocal,
    remainder, round, rsqrt, sigmoid, sign, sin, sinh, sort, sqrt, square, stack, std, sub, subtract, sum, tan,
    tanh, topk, tril, triu, true_divide, trunc, var, vstack, where, zeros,
)
from .elementwise import clamp_max, clamp_min, masked_fill, positive, relu, result_type, rsub, fix
from .comparison import (
    allclose, bitwise_left_shift, bitwise_right_shift, equal, greater, greater_equal, isclose, isfinite, isinf,
    isnan, less, less_equal, not_equal, signbit,
)
from .shapes import (
    broadcast_tensors, broadcast_to, clone, flatten, flip, fliplr, flipud, moveaxis, movedim, permute, ravel,
    repeat_interleave, reshape, roll, rot90, squeeze, swapaxes, swapdims, t, tile, transpose, unflatten,
    unsqueeze,
)
from .joining import chunk, diagonal, dsplit, hsplit, narrow, select, split, unbind, vsplit, row_stack
from .indexing import (
    argwhere, gather, index_add, index_copy, index_fill, index_select, masked_scatter, masked_select, nonzero,
    scatter, scatter_add, take, take_along_dim,
)
from .reductions import aminmax, count_nonzero, log_softmax, norm, softmax, std_mean, var_mean
from .ordering import argsort, diff, logcumsumexp
from .creation import (
    as_tensor, asarray, bernoulli, binomial, cartesian_prod, empty, empty_like, empty_strided, from_minitorch,
    from_numpy, frombuffer, full_like, logspace, meshgrid, multinomial, normal, ones_like, poisson, rand_like,
    randint_like, randn_like, range, scalar_tensor, tensor, tril_indices, triu_indices, zeros_like,
)
from .random import Generator, default_generator, get_rng_state, initial_seed, manual_seed, seed, set_rng_state
from .functions.composed import (
    atleast_1d, atleast_2d, atleast_3d, block_diag, column_stack, combinations, corrcoef, cov, cross,
    cumulative_trapezoid, dist, dstack, gradient, is_nonzero, isin, msort, real, tensor_split, trapezoid,
    trapz, vander,
)
from .functions.counting import bincount, bucketize, histc, histogram, searchsorted, unique, unique_consecutive
from .functions.numeric import (
    acosh, angle, arccosh, arcsinh, arctanh, asinh, atanh, deg2rad, digamma, erfc, erfinv, float_power, fmax,
    fmin, frexp, gcd, heaviside, i0, isneginf, isposinf, isreal, lcm, ldexp, lgamma, logaddexp2, logit,
    mvlgamma, nan_to_num, nextafter, polygamma, rad2deg, sgn, sinc, xlogy,
)
from .functions.quantiles import kthvalue, median, mode, nanmean, nanmedian, nanquantile, nansum, quantile
from .functions.scattering import (
    as_strided, diag_embed, diagflat, diagonal_scatter, index_put, index_reduce, nonzero_static, put,
    scatter_reduce, select_scatter, slice_scatter, split_with_sizes, unravel_index,
)
from .functions.windows import bartlett_window, blackman_window, hamming_window, hann_window, kaiser_window
from .linalg.decompositions import (
    cholesky, cholesky_inverse, cholesky_solve, det, inverse, logdet, matrix_exp, matrix_power, pinverse,
    slogdet, triangular_solve,
)
from .linalg.norms import cdist, renorm
from .linalg.products import addbmm, chain_matmul, einsum, ger, inner, kron, tensordot, trace, vdot
from .misc import (
    BoolTensor, ByteTensor, CharTensor, DoubleTensor, FloatTensor, HalfTensor, IntTensor, LongTensor,
    ShortTensor, are_deterministic_algorithms_enabled, broadcast_shapes, can_cast, channels_last,
    channels_last_3d, compile, contiguous_format, detach, detach_, e, get_default_device,
    get_float32_matmul_precision, get_num_interop_threads, get_num_threads, inf, is_complex, is_floating_point,
    is_inference_mode_enabled, is_same_size, is_signed, is_storage, is_tensor, nan, newaxis, numel, pi,
    preserve_format, set_default_device, set_default_tensor_type, set_flush_denormal,
    set_float32_matmul_precision, set_num_interop_threads, set_num_threads, set_warn_always, typename,
    use_deterministic_algorithms, version,
)
from .serialization import load, save
from .show import set_printoptions
from .runner import install
from .dtypes import (
    Size, bfloat16, device, double, dtype, finfo, float16, float32, float64, get_default_dtype, half, iinfo,
    int8, int16, int32, int64, long, promote_types, set_default_dtype, short, uint8,
)
from .func import vmap
from .nn.activations import (
    alpha_dropout, celu, celu_, dropout, feature_alpha_dropout, hardshrink, prelu, rrelu, rrelu_, selu, selu_,
    threshold, threshold_,
)
from .nn.linear_maps import (
    bilinear, conv1d, conv2d, conv_transpose1d, conv_transpose2d, embedding,
)
from .nn.loss_functions import cosine_similarity
from .nn.margin_functions import pairwise_distance, pdist
from .nn.norm_functions import group_norm, layer_norm, rms_norm
from .nn.pooling_functions import adaptive_avg_pool1d, avg_pool1d, max_pool1d, max_pool2d
from .nn.resizing import channel_shuffle, pixel_shuffle, pixel_unshuffle
from .nn.volumes import conv3d, conv_transpose3d, max_pool3d
from .autograd.grad_mode import is_anomaly_enabled
from .amp import GradScaler, autocast, is_autocast_enabled
from .tensor import Tensor, strided
from .inplace import (
    abs_, ceil_, clamp_, cos_, exp_, floor_, log_, neg_, relu_, round_, rsqrt_, sigmoid_, sin_, sqrt_, square_,
    tanh_, tan_, zero_, fill_, trunc_, frac_, reciprocal_, log1p_, log2_, log10_, expm1_, erf_, erfc_, exp2_,
    acos_, asin_, atan_, cosh_, sinh_, sinc_, nan_to_num_, deg2rad_, rad2deg_, logit_, ldexp_, xlogy_,
)
from .functions.scattering import index_put_
from .dtypes import bool_ as bool
from .dtypes import float32 as float
from .dtypes import int32 as int
from .linalg.decompositions import old_svd as svd
from .linalg.decompositions import old_qr as qr
from .linalg.decompositions import old_lu_solve as lu_solve
from .misc import version_number as __version__

__all__ = [
    "BoolTensor", "ByteTensor", "CharTensor", "DoubleTensor", "FloatTensor", "Generator", "GradScaler",
    "HalfTensor", "IntTensor", "LongTensor", "ShortTensor", "Size", "Tensor", "__version__", "abs", "abs_",
    "absolute", "acos", "acos_", "acosh", "adaptive_avg_pool1d", "add", "addbmm", "addcdiv", "addcmul", "addmm",
    "addmv", "addr", "all", "allclose", "alpha_dropout", "amax", "amin", "aminmax", "amp", "angle", "any",
    "arange", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh",
    "are_deterministic_algorithms_enabled", "argmax", "argmin", "argsort", "argwhere", "as_strided", "as_tensor",
    "asarray", "asin", "asin_", "asinh", "atan", "atan2", "atan_", "atanh", "atleast_1d", "atleast_2d",
    "atleast_3d", "autocast", "autograd", "avg_pool1d", "backends", "baddbmm", "bartlett_window", "bernoulli",
    "bfloat16", "bilinear", "bincount", "binomial", "bitwise_and", "bitwise_left_shift", "bitwise_not",
    "bitwise_or", "bitwise_right_shift", "bitwise_xor", "blackman_window", "block_diag", "bmm", "bool",
    "broadcast_shapes", "broadcast_tensors", "broadcast_to", "bucketize", "can_cast", "cartesian_prod", "cat",
    "cdist", "ceil", "ceil_", "celu", "celu_", "chain_matmul", "channel_shuffle", "channels_last",
    "channels_last_3d", "cholesky", "cholesky_inverse", "cholesky_solve", "chunk", "clamp", "clamp_", "clamp_max",
    "clamp_min", "clip", "clone", "column_stack", "combinations", "compile", "concat", "concatenate",
    "contiguous_format", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d",
    "copysign", "corrcoef", "cos", "cos_", "cosh", "cosh_", "cosine_similarity", "count_nonzero", "cov", "cross",
    "cuda", "cummax", "cummin", "cumprod", "cumsum", "cumulative_trapezoid", "default_generator", "deg2rad",
    "deg2rad_", "det", "detach", "detach_", "device", "diag", "diag_embed", "diagflat", "diagonal",
    "diagonal_scatter", "diff", "digamma", "dist", "distributions", "div", "divide", "dot", "double", "dropout",
    "dsplit", "dstack", "dtype", "e", "einsum", "embedding", "empty", "empty_like", "empty_strided",
    "enable_grad", "eq", "equal", "erf", "erf_", "erfc", "erfc_", "erfinv", "exp", "exp2", "exp2_", "exp_",
    "expm1", "expm1_", "eye", "feature_alpha_dropout", "fft", "fill_", "finfo", "fix", "flatten", "flip",
    "fliplr", "flipud", "float", "float16", "float32", "float64", "float_power", "floor", "floor_",
    "floor_divide", "fmax", "fmin", "fmod", "frac", "frac_", "frexp", "from_minitorch", "from_numpy",
    "frombuffer", "full", "full_like", "func", "gather", "gcd", "ge", "ger", "get_default_device",
    "get_default_dtype", "get_float32_matmul_precision", "get_num_interop_threads", "get_num_threads",
    "get_rng_state", "gradient", "greater", "greater_equal", "group_norm", "gt", "half", "hamming_window",
    "hann_window", "hardshrink", "heaviside", "histc", "histogram", "hsplit", "hstack", "hypot", "i0", "iinfo",
    "index_add", "index_copy", "index_fill", "index_put", "index_put_", "index_reduce", "index_select", "inf",
    "inference_mode", "initial_seed", "inner", "install", "int", "int8", "int16", "int32", "int64", "inverse",
    "is_anomaly_enabled", "is_autocast_enabled", "is_complex", "is_floating_point", "is_grad_enabled",
    "is_inference_mode_enabled", "is_nonzero", "is_same_size", "is_signed", "is_storage", "is_tensor", "isclose",
    "isfinite", "isin", "isinf", "isnan", "isneginf", "isposinf", "isreal", "kaiser_window", "kron", "kthvalue",
    "layer_norm", "lcm", "ldexp", "ldexp_", "le", "lerp", "less", "less_equal", "lgamma", "linalg", "linspace",
    "load", "log", "log1p", "log1p_", "log2", "log2_", "log10", "log10_", "log_", "log_softmax", "logaddexp",
    "logaddexp2", "logcumsumexp", "logdet", "logical_and", "logical_not", "logical_or", "logical_xor", "logit",
    "logit_", "logspace", "logsumexp", "long", "lt", "lu_solve", "manual_seed", "masked_fill", "masked_scatter",
    "masked_select", "matmul", "matrix_exp", "matrix_power", "max", "max_pool1d", "max_pool2d", "max_pool3d",
    "maximum", "mean", "median", "meshgrid", "min", "minimum", "mm", "mode", "moveaxis", "movedim", "msort",
    "mul", "multinomial", "multiply", "mv", "mvlgamma", "nan", "nan_to_num", "nan_to_num_", "nanmean",
    "nanmedian", "nanquantile", "nansum", "narrow", "ne", "neg", "neg_", "negative", "newaxis", "nextafter", "nn",
    "no_grad", "nonzero", "nonzero_static", "norm", "normal", "not_equal", "numel", "ones", "ones_like", "optim",
    "outer", "pairwise_distance", "pdist", "permute", "pi", "pinverse", "pixel_shuffle", "pixel_unshuffle",
    "poisson", "polygamma", "positive", "pow", "prelu", "preserve_format", "prod", "promote_types", "put", "qr",
    "quantile", "rad2deg", "rad2deg_", "rand", "rand_like", "randint", "randint_like", "randn", "randn_like",
    "random", "randperm", "range", "ravel", "real", "reciprocal", "reciprocal_", "relu", "relu_", "remainder",
    "renorm", "repeat_interleave", "reshape", "result_type", "return_types", "rms_norm", "roll", "rot90", "round",
    "round_", "row_stack", "rrelu", "rrelu_", "rsqrt", "rsqrt_", "rsub", "save", "scalar_tensor", "scatter",
    "scatter_add", "scatter_reduce", "searchsorted", "seed", "select", "select_scatter", "selu", "selu_",
    "set_default_device", "set_default_dtype", "set_default_tensor_type", "set_float32_matmul_precision",
    "set_flush_denormal", "set_grad_enabled", "set_num_interop_threads", "set_num_threads", "set_printoptions",
    "set_rng_state", "set_warn_always", "sgn", "short", "sigmoid", "sigmoid_", "sign", "signbit", "sin", "sin_",
    "sinc", "sinc_", "sinh", "sinh_", "slice_scatter", "slogdet", "softmax", "sort", "special", "split",
    "split_with_sizes", "sqrt", "sqrt_", "square", "square_", "squeeze", "stack", "std", "std_mean", "strided",
    "sub", "subtract", "sum", "svd", "swapaxes", "swapdims", "t", "take", "take_along_dim", "tan", "tan_", "tanh",
    "tanh_", "tensor", "tensor_split", "tensordot", "testing", "threshold", "threshold_", "tile", "topk", "trace",
    "transpose", "trapezoid", "trapz", "triangular_solve", "tril", "tril_indices", "triu", "triu_indices",
    "true_divide", "trunc", "trunc_", "typename", "uint8", "unbind", "unflatten", "unique", "unique_consecutive",
    "unravel_index", "unsqueeze", "use_deterministic_algorithms", "utils", "vander", "var", "var_mean", "vdot",
    "version", "vmap", "vsplit", "vstack", "where", "xlogy", "xlogy_", "zero_", "zeros", "zeros_like",
]
