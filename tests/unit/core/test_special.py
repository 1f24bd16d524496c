import subprocess
import sys

import scipy.special

from textclf.core import special

CODE = """
import sys
from textclf.core import special
functions = special.load()
assert functions.ndtri(0.975) == 1.959963984540054
print("scipy.linalg" in sys.modules)
import scipy.special, scipy.stats
assert all(getattr(scipy.special, name) is getattr(functions, name) for name in ("betainc", "erfc", "gammaln", "ndtri"))
assert scipy.special.softmax([1.0, 1.0]).tolist() == [0.5, 0.5]
assert special.load() is functions
"""

ELSEWHERE = """
import sys
from textclf.core import special
class Once:
    tries = 0
    def find_spec(self, name, *_):
        if name == "scipy.special._ufuncs" and not self.tries:
            self.tries += 1
            raise ImportError(name)
sys.meta_path.insert(0, Once())
functions = special.load()
print(functions.__name__, functions.softmax([1.0, 1.0]).tolist())
"""


def test_the_functions_are_those_of_scipy_without_the_rest_of_the_package() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("False\n", "")


def test_a_package_that_is_loaded_already_is_taken() -> None:
    assert special.load.__wrapped__() is scipy.special


def test_another_layout_of_scipy_gives_the_package() -> None:
    done = subprocess.run([sys.executable, "-c", ELSEWHERE], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("scipy.special [0.5, 0.5]\n", "")
