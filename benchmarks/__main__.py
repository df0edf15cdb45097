"""`python -m benchmarks NAME [--json]` runs one benchmark and prints its table, or one JSON object."""

import argparse
import importlib
import json
import pkgutil

from benchmarks import engine, service
from benchmarks.report import Report


def main() -> None:
    """Parse the arguments, run the benchmark and print its report."""
    modules = {
        module.name: f"{room.__name__}.{module.name}"
        for room in (engine, service)
        for module in pkgutil.iter_modules(room.__path__)
    }
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("name", choices=sorted(modules))
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    report: Report = importlib.import_module(modules[arguments.name]).run()
    print(json.dumps(report.as_json()) if arguments.json else report.as_table())


if __name__ == "__main__":
    main()
