import subprocess
import sys

CODE = """
import sys
from textclf.core.unloaded import refuse
import {loaded}
refuse("pandas", "json.tool")
import numpy as np
import pyarrow as pa
assert pa.chunked_array([pa.array(["a"])]).to_numpy().tolist() == ["a"]
assert pa.array(np.array([0.5])).to_numpy().tolist() == [0.5]
print("pandas" in sys.modules)
import pandas
"""


def run(loaded: str) -> tuple[str, str]:
    done = subprocess.run([sys.executable, "-c", CODE.format(loaded=loaded)], capture_output=True, text=True)
    return done.stdout, done.stderr


def test_pyarrow_does_without_a_package_that_is_refused() -> None:
    printed, error = run("json")
    assert printed == "False\n"
    assert error.endswith("ImportError: pandas must not be loaded by this process\n")


def test_a_package_that_is_loaded_already_stays() -> None:
    assert run("pandas") == ("True\n", "")
