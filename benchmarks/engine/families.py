"""Whether every option of a member works, or is told not to, in whole pipelines of many families.

Each family is a tiny model with random weights in diffusers' own classes. It is saved, listed in a catalogue and drawn
by the engine. It works when its seeds repeat, its previews come, a cancel takes effect after the present step, CFG 1
costs one row a step, wrong values get a sentence, and no option of a member is silently without effect.
"""

import logging
import os
import sys

from benchmarks.families.drawing import Verdict, judge
from benchmarks.families.every import EVERY
from benchmarks.report import Report
from pipeline.engine.device.placement import use_threads
from pipeline.engine.models.loading import quiet_libraries

_ONLY = "EASEL_FAMILIES"
"""Variable of the environment with the beginnings of the names to judge, with commas; all are judged without it."""


def run() -> Report:
    """Judge every family."""
    quiet_libraries()
    logging.disable(logging.WARNING)
    use_threads(1)
    wanted = tuple(filter(None, os.environ.get(_ONLY, "").split(",")))
    verdicts: dict[str, Verdict] = {}
    for name, build in EVERY.items():
        if not wanted or name.startswith(wanted):
            verdicts[name] = judge(build)
            print(f"{name}: {_words(verdicts[name])}", file=sys.stderr)
    works = sum(1 for verdict in verdicts.values() if not verdict.failures and not verdict.silent)
    silent = sum(len(verdict.silent) for verdict in verdicts.values())
    detail: dict[str, float | int | str] = {"works": f"{works} of {len(verdicts)}", "silent": silent}
    detail |= {name: _words(verdict) for name, verdict in verdicts.items()}
    return Report(
        name="families",
        goal=f"works {len(verdicts)} of {len(verdicts)}, options silent: 0",
        value=works / len(verdicts),
        holds=works == len(verdicts) and not silent,
        median=works / len(verdicts),
        minimum=float(works),
        pairs=len(verdicts),
        detail=detail,
    )


def _words(verdict: Verdict) -> str:
    said = [*verdict.failures, *(f"{name} is silently without effect" for name in verdict.silent)]
    told = f" ({', '.join(verdict.told)} told)" if verdict.told else ""
    return ("; ".join(said) or "works") + told
