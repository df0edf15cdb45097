"""The command `easel` as a fork. `--socket-fd`, the last argument, names the file that becomes standard error."""

import os
import sys

from bot.__main__ import main

if __name__ == "__main__":
    *arguments, _, error = sys.argv
    os.dup2(int(error), sys.stderr.fileno())
    os.close(int(error))
    sys.argv = arguments
    main()
