import subprocess
import sys

CODE = """
import sys
from textclf.core.unloaded import refused
import {loaded}
with refused("pandas", "json.tool"):
    import numpy as np
    import pyarrow as pa
    assert pa.chunked_array([pa.array(["a"])]).to_numpy().tolist() == ["a"]
    assert pa.array(np.array([0.5])).to_numpy().tolist() == [0.5]
    print("pandas" in sys.modules)
    try:
        import pandas
    except ImportError as error:
        print(error)
import pandas
"""


def run(loaded: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", CODE.format(loaded=loaded)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_pyarrow_does_without_a_package_that_is_refused() -> None:
    assert run("json") == ["False", "pandas must not be loaded by this process"]


def test_a_package_that_is_loaded_already_stays() -> None:
    assert run("pandas") == ["True"]
