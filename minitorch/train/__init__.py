"""Training: the loop, metrics, callbacks, checkpoints, and the search for a learning rate.

`minitorch.train.trainer` (a whole run of an image classifier) and `minitorch.train.plots` (figures) are imported by
their own names: they load the data sets and, when a figure is drawn, Matplotlib.
"""

from __future__ import annotations

from .callbacks import BestCheckpoint, Callback, JsonLinesLogger, LRSchedule, schedule_for
from .checkpoint import Checkpoint, load, load_checkpoint, save, save_checkpoint
from .console import ConsoleLogger, ProgressBar, TrainingPlan, console_logger
from .graphed_step import GraphedStep
from .loop import Evaluation, Step, evaluate, fit, predict
from .lr_finder import lr_range
from .messages import UsageError
from .metrics import ClassReport, accuracy, confusion_matrix, per_class_report, top_k_accuracy
from .torch_format import CheckpointError, read_pth

__all__ = [
    "BestCheckpoint",
    "Callback",
    "Checkpoint",
    "CheckpointError",
    "ClassReport",
    "ConsoleLogger",
    "Evaluation",
    "GraphedStep",
    "JsonLinesLogger",
    "LRSchedule",
    "ProgressBar",
    "Step",
    "TrainingPlan",
    "UsageError",
    "accuracy",
    "confusion_matrix",
    "console_logger",
    "evaluate",
    "fit",
    "load",
    "load_checkpoint",
    "lr_range",
    "per_class_report",
    "predict",
    "read_pth",
    "save",
    "save_checkpoint",
    "schedule_for",
    "top_k_accuracy",
]
