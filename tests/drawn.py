"""Splits of a frame by method random."""

import pandas as pd

from textclf.split.draw import draw_positions
from textclf.split.settings import Split


def draw_splits(rows: pd.DataFrame, settings: Split) -> dict[str, pd.DataFrame]:
    """Return the rows of each split, numbered from 0, as `draw_positions` draws them."""
    drawn = draw_positions(rows, settings)
    return {name: rows.iloc[positions].reset_index(drop=True) for name, positions in drawn.items()}
