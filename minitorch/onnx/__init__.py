"""Networks as ONNX files, which other programs write and run: `export`, `load`. Needs the package ``onnx``."""

from .errors import ExportError, LoadError, OnnxError
from .export import OPSET, export
from .load import load
from .network import Network

__all__ = ["OPSET", "ExportError", "LoadError", "Network", "OnnxError", "export", "load"]
