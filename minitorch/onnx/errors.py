"""Errors of ONNX files; needs nothing, so that commands can name them without the package ``onnx``."""


class OnnxError(ValueError):
    """A file cannot be written or read; the message is one line and says what stands in the way."""


class ExportError(OnnxError):
    """A network cannot be written as ONNX; the message says what stands in the way."""


class LoadError(OnnxError):
    """An ONNX file cannot be read or computed; the message names the file or the node."""
