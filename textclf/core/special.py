"""The special functions of scipy, without what `scipy.special` loads besides.

They are one compiled module. Its package also loads scipy.linalg, numpy.f2py and numpy.testing, which takes an eighth
of a second, a fifth of a short stage.
"""

import functools
import sys
from importlib.util import find_spec, module_from_spec
from typing import Any

PACKAGE = "scipy.special"


@functools.cache
def load() -> Any:
    """Return a module with the compiled functions of `scipy.special`, the same objects: ndtri, expit and so on."""
    if PACKAGE not in sys.modules and (spec := find_spec(PACKAGE)) is not None:
        sys.modules[PACKAGE] = module_from_spec(spec)  # stands in for the package, which runs when somebody imports it
        try:
            from scipy.special import _ufuncs
        except ImportError:  # another version of scipy has them elsewhere
            pass
        else:
            return _ufuncs
        finally:
            del sys.modules[PACKAGE]
    import scipy.special

    return scipy.special
