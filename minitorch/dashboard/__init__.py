"""Dashboards: what a run shows, and where it is shown (visdom, TensorBoard, an HTML report).

`tensorboard` is imported by its own name: it needs tensorboardX.
"""

from __future__ import annotations

from .callback import DashboardCallback, ShowModel, show_channels, show_filters, show_records
from .decision_boundary import DecisionBoundary
from .graph import derivatives, draw_graph, parameter_names
from .html import write_report
from .images import data_url, image_grid, png
from .outputs import Outputs, visdom_client
from .run_log import Logger, MultiLogger, RunLog
from .svg import confusion, gallery, line_chart, settings_table
from .visdom import VisdomClient

__all__ = [
    "DashboardCallback",
    "DecisionBoundary",
    "Logger",
    "MultiLogger",
    "Outputs",
    "RunLog",
    "ShowModel",
    "VisdomClient",
    "confusion",
    "data_url",
    "derivatives",
    "draw_graph",
    "gallery",
    "image_grid",
    "line_chart",
    "parameter_names",
    "png",
    "settings_table",
    "show_channels",
    "show_filters",
    "show_records",
    "visdom_client",
    "write_report",
]
