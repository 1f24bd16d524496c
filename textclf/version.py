"""The version of textclf, apart from `textclf/__init__.py`: alone it must rerun no stage."""

__version__ = "0.2.0"
