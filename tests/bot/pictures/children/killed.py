"""Dies while it reads."""

import os
import signal

os.kill(os.getpid(), signal.SIGKILL)
