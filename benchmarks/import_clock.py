"""Run a module as a script with a clock around every import, for benchmarks/startup.py.

    python -m benchmarks.import_clock RESULT MODULE [ARGUMENT ...]

Writes to RESULT, as JSON, when the process began and when the module's own code ended, and the seconds of the imports
by package. The time of a module is without that of the modules that it imports in turn. Imports next to nothing itself.
"""

import importlib._bootstrap as bootstrap
import os
import runpy
import sys
import time
from typing import Any


def run(result: str, module: str, arguments: list[str]) -> None:
    """Run the module; a stage ends the process by `os._exit`, before which the result is written."""
    seconds: dict[str, float] = {}
    inner = [0.0]  # seconds of the modules that each module being imported has imported
    machinery: Any = bootstrap
    load, leave = machinery._find_and_load, os._exit

    def timed(name: str, import_: Any) -> Any:
        started = time.perf_counter()
        inner.append(0.0)
        try:
            return load(name, import_)
        finally:
            whole = time.perf_counter() - started
            package = name.partition(".")[0]
            seconds[package] = seconds.get(package, 0.0) + whole - inner.pop()
            inner[-1] += whole

    def end(code: int) -> None:
        ended = time.time()
        import json

        with open(result, "w", encoding="utf-8") as file:  # noqa: PTH123 (pathlib would be one more import)
            json.dump({"began": began, "ended": ended, "imports": seconds}, file)
        leave(code)

    machinery._find_and_load = timed
    os._exit = end  # type: ignore[assignment]
    sys.argv = [module, *arguments]
    sys.orig_argv = ["python", "-m", module, *arguments]
    began = time.time()
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    run(sys.argv[1], sys.argv[2], sys.argv[3:])
