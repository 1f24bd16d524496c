"""The special functions of scipy, without what `scipy.special` loads besides.

scipy.special is a small module of compiled functions. Its package also loads scipy.linalg, numpy.f2py and
numpy.testing, which takes an eighth of a second, a fifth of a short stage.
"""

import functools
import importlib
import sys
from importlib.util import find_spec, module_from_spec
from typing import Any

PACKAGE, COMPILED = "scipy.special", "scipy.special._ufuncs"


@functools.cache
def load() -> Any:
    """Return a module with the compiled functions of `scipy.special`, the same objects: ndtri, expit and so on."""
    if PACKAGE in sys.modules or (spec := find_spec(PACKAGE)) is None:
        return importlib.import_module(PACKAGE)
    sys.modules[PACKAGE] = module_from_spec(spec)  # stands in for the package, which runs when somebody imports it
    try:
        return importlib.import_module(COMPILED)
    except ImportError:  # another version of scipy has them elsewhere
        pass
    finally:
        del sys.modules[PACKAGE]
    return importlib.import_module(PACKAGE)
