"""What the scripts share. With a wrong MINITORCH_BACKEND `import minitorch` fails: that is reported in one line."""

import os
import signal
import sys

# While a script imports the package, Ctrl-C ends it without a traceback; `run_command` handles it afterwards.
STARTED = os.path.dirname(os.path.realpath(sys.argv[0])) == os.path.dirname(os.path.realpath(__file__))
if STARTED and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)

try:
    from minitorch.cli.common import Parser as Parser
    from minitorch.cli.common import UsageError as UsageError
    from minitorch.cli.common import count as count
    from minitorch.cli.common import natural as natural
    from minitorch.cli.common import rate as rate
    from minitorch.cli.common import run_command as run_command
except ValueError as error:
    print(f"{os.path.basename(sys.argv[0])}: {error}", file=sys.stderr)
    raise SystemExit(2) from None
