"""Networks as ONNX files, which other programs run: `export`. Needs the package ``onnx``."""

from .export import OPSET, export
from .nodes import ExportError

__all__ = ["OPSET", "ExportError", "export"]
