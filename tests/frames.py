"""Tables as data frames, where a test looks at them in pandas' way."""

import pandas as pd

from textclf.core.table import Table


def frame(table: Table) -> pd.DataFrame:
    """Return the table as a data frame; text columns hold objects."""
    return pd.DataFrame({name: pd.Series(table[name], dtype=table[name].dtype) for name in list(table.keys())})
