"""Settings of the studies, which train models many times."""

from typing import Annotated

from pydantic import Field

from textclf.core.settings import MAX_SEED, Section


class CrossValidate(Section):
    """Cross-validation by `make studies`; not part of the default run."""

    folds: Annotated[int, Field(ge=2)] = Field(
        4, description="number of folds; each row is tested once by a model trained on the other folds"
    )
    repeats: Annotated[int, Field(ge=1)] = Field(
        3, description="number of times all folds are drawn anew; more give a steadier mean"
    )
    seeds: Annotated[int, Field(ge=1)] = Field(
        5, description="number of seeds of the network on one fold, to tell its randomness from that of the split"
    )
    seed: Annotated[int, Field(ge=0, le=MAX_SEED // 2)] = Field(0, description="seed of the folds")
