"""Tells its variables instead of a picture's parameters."""

import json
import os
import sys

sys.stdin.buffer.read()
sys.stdout.write(json.dumps({"type": "parameters", "text": json.dumps(dict(os.environ))}) + "\n")
