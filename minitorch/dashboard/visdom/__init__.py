"""visdom: a client that sends a run to a server, and what starts a server on this machine.

The client needs no visdom. `server` and `assets` need the standard library only and can be imported without NumPy.
"""

from __future__ import annotations

from .assets import SetupError
from .client import VisdomClient, VisdomError
from .server import Server

__all__ = ["Server", "SetupError", "VisdomClient", "VisdomError"]
