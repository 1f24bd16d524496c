"""The version of textclf, apart from `textclf/__init__.py`: a new version alone must rerun no stage of a project."""

__version__ = "0.2.0"
