"""Schedules of learning rates: ``torch.optim.lr_scheduler``."""

from .combined import ChainedScheduler as ChainedScheduler
from .combined import ReduceLROnPlateau as ReduceLROnPlateau
from .combined import SequentialLR as SequentialLR
from .cyclic import CosineAnnealingWarmRestarts as CosineAnnealingWarmRestarts
from .cyclic import CyclicLR as CyclicLR
from .cyclic import OneCycleLR as OneCycleLR
from .schedules import ConstantLR as ConstantLR
from .schedules import CosineAnnealingLR as CosineAnnealingLR
from .schedules import ExponentialLR as ExponentialLR
from .schedules import LambdaLR as LambdaLR
from .schedules import LinearLR as LinearLR
from .schedules import LRScheduler as LRScheduler
from .schedules import MultiplicativeLR as MultiplicativeLR
from .schedules import MultiStepLR as MultiStepLR
from .schedules import PolynomialLR as PolynomialLR
from .schedules import StepLR as StepLR
from .schedules import _LRScheduler as _LRScheduler
