"""Settings of the stage split."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from textclf.core.settings import Section, Seed, relation

ShareOrNone = Annotated[float, Field(ge=0, lt=1)]


class Split(Section):
    """Which rows are trained on, validated on and tested on."""

    method: Literal["random", "hash", "time"] = Field(
        "random",
        description="random; hash assigns each text by itself, for more rows than memory holds; "
        "time tests the latest",
    )
    test_size: ShareOrNone = Field(
        0.25,
        description="share of rows for testing, unless test rows are given; "
        "more rows narrow the intervals",
    )
    validation_size: ShareOrNone = Field(
        0.0,
        description="share of rows for choices such as the threshold; "
        "0.0 as in the lesson, 0.15 for honest choices",
    )
    seed: Seed = Field(
        1000,
        description="seed of the split; change it to see how much the numbers depend on the split",
    )
    stratify: bool = Field(
        False,
        description="true keeps the class balance equal in all splits; use it when a class is rare",
    )
    group_duplicates: bool = Field(
        False,
        description="true keeps rows of the same text (ignoring case and spaces) in one "
        "split: no leaks",
    )

    @model_validator(mode="after")
    def _settings_fit(self) -> Self:
        total = self.test_size + self.validation_size
        if total >= 1:
            raise relation(f"test_size + validation_size must be less than 1; got {total:g}")
        if self.method == "hash" and self.stratify:
            raise relation(
                "stratify must be false with method hash, which looks at no other row; got true"
            )
        for name in ("stratify", "group_duplicates"):
            if self.method == "time" and getattr(self, name):
                raise relation(
                    f"{name} must be false with method time, by which the latest rows test; "
                    "got true"
                )
        return self

    @property
    def parts_duplicates(self) -> bool:
        """Whether rows of one text may be in several splits, which group_duplicates prevents."""
        return self.method == "random" and not self.group_duplicates
