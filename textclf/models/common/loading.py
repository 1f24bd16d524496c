"""Models by their names."""

import importlib
import pkgutil
from pathlib import Path
from typing import Any

from textclf.core.errors import UserError
from textclf.models.common.settings import named_settings

PACKAGE, FOLDER = "textclf.models", Path(__file__).parents[1]
SHARED = "common"  # the package that is no model


def load_model(name: str) -> Any:
    """Return the package of a model: see `textclf.models.common.fitted.ModelPackage`.

    Raises `UserError` if there is no such model.
    """
    packages = pkgutil.iter_modules([str(FOLDER)])
    known = sorted(package.name for package in packages if package.ispkg and package.name != SHARED)
    if name not in known:
        raise UserError(f"model must be one of {', '.join(known)}; got {name!r}")
    return importlib.import_module(f"{PACKAGE}.{name}")


def settings_class(name: str, kind: str) -> Any:
    """Return the class of a model's settings; a model that is called otherwise than its kind names that in them."""
    settings = load_model(kind).Settings
    return settings if name == kind else named_settings(kind, settings)
