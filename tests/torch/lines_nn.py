"""More lines of PyTorch for `nn`, `nn.functional`, `nn.utils`, `nn.init` and `optim`: as those of `lines`, same areas.

`SETUP` comes after that of `lines`.
"""

SETUP = """
rnn = torch.nn.utils.rnn
"""

# fmt: off
LINES: dict[str, str] = {}
LINES["layers"] = """
nn.Hardtanh(-2.0, 2.0)
"""
# fmt: on

# Lines that give something else, and why.
DIFFERENT: dict[str, str] = {}
