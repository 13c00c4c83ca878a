"""``torch.nn.modules.utils``: settings of one, two or three dimensions as tuples."""

from ..tuples import _ntuple as _ntuple
from ..tuples import _pair as _pair
from ..tuples import _quadruple as _quadruple
from ..tuples import _reverse_repeat_tuple as _reverse_repeat_tuple
from ..tuples import _single as _single
from ..tuples import _triple as _triple
