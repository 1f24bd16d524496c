"""A project as a notebook reads it: its results as data frames, and its report."""

import contextlib
import html
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from textclf.artifacts import conformal, predictions, splits
from textclf.artifacts.decisions import Decision
from textclf.core import files
from textclf.core.errors import UserError
from textclf.core.quoting import list_names
from textclf.core.settings import load_params
from textclf.evaluate.model_choice import explain_choice
from textclf.evaluate.results import Ends, Results
from textclf.evaluate.settings import Evaluate
from textclf.export import outcome
from textclf.export.settings import Export
from textclf.models.settings import Average, Train, with_averages
from textclf.predict.locate import project_folder

if TYPE_CHECKING:
    import pandas as pd

METRICS, PREDICTIONS, SPLITS = Path("metrics"), Path("data/predictions"), Path("data/splits")
PAGE = Path("reports/report.html")


@dataclass(frozen=True)
class ReportPage:
    """The report of a run, which a notebook shows in the cell."""

    path: Path

    def _repr_html_(self) -> str:
        page = html.escape(self.path.read_text(encoding="utf-8"))
        # The sandbox keeps the page from the notebook's own.
        return (
            f'<iframe srcdoc="{page}" sandbox="allow-scripts allow-popups" '
            'style="width: 100%; height: 800px; border: 0"></iframe>'
        )


class Project:
    """A project for reading, as `textclf.open` returns it.

    Parameters
    ----------
    path : str or Path, default="."
        A folder in the project.

    Attributes
    ----------
    folder : Path
        The folder of the project.

    Raises
    ------
    textclf.core.errors.UserError
        If the folder is in no project.

    Examples
    --------
    >>> import textclf
    >>> run = textclf.open()
    >>> [*run.leaderboard().index]
    ['majority']
    """

    def __init__(self, path: str | Path = ".") -> None:
        """Find the project."""
        self.folder = project_folder(path)

    def __repr__(self) -> str:
        """Tell the folder."""
        return f"<textclf project {self.folder}>"

    def leaderboard(self) -> "pd.DataFrame":
        """Return the models on the test rows as `textclf metrics` ranks them.

        Returns
        -------
        DataFrame of one row per model, the best first
            The index is `model`. `default` says whether `textclf.load()` returns it. Each metric
            has its value and the ends of its interval in columns such as `accuracy`,
            `accuracy_low` and `accuracy_high`; NaN where rows are too few for an interval.
            `against_<model>`, likewise, is the difference in accuracy, or in cost, from the
            baseline and from the first model; it may be chance if its interval contains 0.

        Raises
        ------
        textclf.core.errors.UserError
            If params.yaml breaks a rule, or a file in metrics/ is missing or damaged.

        Examples
        --------
        >>> import textclf
        >>> textclf.open().leaderboard()["accuracy"].round(2).to_dict()
        {'majority': 0.3}
        """
        import pandas as pd

        with contextlib.chdir(self.folder):
            settings = load_params(
                {"train": Train, "average": Average, "evaluate": Evaluate, "export": Export}
            )
            train, average, evaluate, export = settings.values()
            models, external = with_averages(train, average).names(), sorted(evaluate.external)
            results = Results.read(METRICS, outcome.FILES, models, external)
        names = [*models, *external]
        ranked, shown = outcome.rank(results, names)
        references, compared = outcome.compared_with(results, names, ranked[0])
        default, _ = explain_choice(export.model, results, models)
        rows: dict[str, dict[str, Any]] = {}
        for name in ranked:
            measured, ends = results.evaluation[name]["test"], results.intervals[name]["test"]
            rows[name] = {"default": name == default}
            for metric in ("accuracy", *shown):
                rows[name] |= _with_ends(metric, measured[metric], ends.get(metric))
            for other in references:
                pair = None
                if name != other:
                    pair = outcome.difference(results, name, other, compared)
                value = pair.difference if pair else np.nan
                rows[name] |= _with_ends(f"against_{other}", value, pair)
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("model")

    def predictions(self, model: str, split: str = "test") -> "pd.DataFrame":
        """Return what a model answered for the rows of a split when it was measured.

        Parameters
        ----------
        model : str
            The name of a model of the run, or of evaluate.external.
        split : str, default="test"
            The split, such as train, validation or test.

        Returns
        -------
        DataFrame of one row per text
            Columns are `id`, `text` if the run's rows are here, `label`, `predicted`, and for each
            class its calibrated probability, such as `probability_1`. A label is a str, a list if
            texts have several labels, or None for no answer and for a text of no class.

        Raises
        ------
        textclf.core.errors.UserError
            If there are no predictions of the model or split, or a file is damaged.

        Examples
        --------
        >>> import textclf
        >>> [*textclf.open().predictions("majority").columns]
        ['id', 'text', 'label', 'predicted', 'probability_0', 'probability_1']
        """
        return self._judge(model, split)[0]

    def mistakes(self, model: str) -> "pd.DataFrame":
        """Return the test rows that a model decided wrongly, the surest first.

        Parameters
        ----------
        model : str
            The name of a model of the run, or of evaluate.external.

        Returns
        -------
        DataFrame of one row per mistake
            The columns of `predictions`. A row counts as sure as its predicted class is probable;
            of several labels, as the surest one that is wrong.

        Raises
        ------
        textclf.core.errors.UserError
            As `predictions`.

        Examples
        --------
        >>> import textclf
        >>> wrong = textclf.open().mistakes("majority")
        >>> (wrong["label"] != wrong["predicted"]).all()
        np.True_
        """
        rows, sureness = self._judge(model, "test")
        pairs = zip(rows["label"], rows["predicted"], strict=True)
        wrong = np.flatnonzero([label != predicted for label, predicted in pairs])
        order = np.argsort(-sureness[wrong], kind="stable")
        return rows.iloc[wrong[order]].reset_index(drop=True)

    @property
    def report(self) -> ReportPage:
        """The report of the run, which a notebook shows in the cell.

        Returns
        -------
        ReportPage
            Its `path` is that of the page.

        Raises
        ------
        textclf.core.errors.UserError
            If there is no report.

        Examples
        --------
        >>> import textclf
        >>> textclf.open().report.path.name
        'report.html'
        """
        return ReportPage(files.require(self.folder / PAGE))

    def compare(self, revision: str) -> "pd.DataFrame":
        """Return what `textclf pr-report` knows of each metric, here and at a revision of Git.

        Parameters
        ----------
        revision : str
            The revision to compare with, such as `main` or `HEAD~1`.

        Returns
        -------
        DataFrame of one row per model, split and metric
            Columns are `model`, `split`, `metric`, the values `base` of the revision and `head` of
            the working tree, their `difference` with the interval from `low` to `high`, and
            `verdict`, such as better, worse or may be chance. NaN stands for what is missing.

        Raises
        ------
        textclf.core.errors.UserError
            If the folder is in no Git repository, it has no such revision, or one of both has no
            metrics.

        Examples
        --------
        >>> import textclf
        >>> textclf.open().compare("none")
        Traceback (most recent call last):
        textclf.core.errors.UserError: ...
        """
        import pandas as pd

        from textclf.review import command, revisions

        with contextlib.chdir(self.folder):
            base = revisions.Revision(revisions.commit_of(revision))
            head = revisions.Revision(revisions.commit_of("HEAD"), tree=True)
            changes = command.compare(base, head).changes
        columns = ("model", "split", "metric", "base", "head", "difference")
        rows = []
        for change in changes:
            low, high = change.interval or (None, None)
            values = {name: getattr(change, name) for name in columns}
            rows.append({**values, "low": low, "high": high, "verdict": change.verdict})
        return pd.DataFrame(rows, columns=[*columns, "low", "high", "verdict"])

    def _judge(self, model: str, split: str) -> tuple["pd.DataFrame", np.ndarray[Any, Any]]:
        """Return the frame of `predictions`, and how sure the model is of each answer, (rows,)."""
        import pandas as pd

        with contextlib.chdir(self.folder):
            rows = _read_rows(model, split)
            decisions = Results.read(METRICS, ["decisions"], [model]).decisions
            decision: Decision = decisions[model].decision
            texts = _read_texts(split)
        probabilities, decided = decision.judge(rows.probabilities, rows.scores)
        columns: dict[str, Any] = {"id": rows.ids}
        if texts:
            columns["text"] = [texts.get(name) for name in rows.ids]
        for name, values in {"label": rows.y, "predicted": decided}.items():
            columns[name] = pd.Series(_labels(values, rows.classes), dtype=object)
        columns |= {
            predictions.PREFIX + name: probabilities[:, position]
            for position, name in enumerate(rows.classes)
        }
        if rows.multilabel:
            confidence = np.where(decided == 1, probabilities, 1 - probabilities)
            sureness = np.where(decided == rows.y, 0, confidence).max(axis=1)
        else:
            # Without an answer it is that of the class that costs least.
            places = decision.answering().decide(probabilities)
            sureness = probabilities[np.arange(len(rows)), places]
        return pd.DataFrame(columns), sureness


def _with_ends(metric: str, value: float, ends: Ends | None) -> dict[str, float]:
    """Return a metric and the ends of its interval as columns."""
    low, high = (ends.low, ends.high) if ends else (np.nan, np.nan)
    return {metric: value, f"{metric}_low": low, f"{metric}_high": high}


def _read_rows(model: str, split: str) -> predictions.Predictions:
    """Return the predictions of a model for a split; `UserError` if there are none."""
    known = sorted(path.stem for path in PREDICTIONS.glob(f"*{predictions.SUFFIX}"))
    if model not in known:
        raise UserError(
            f"the model must be one with predictions in {PREDICTIONS} ({list_names(known)}); "
            f"got {model!r}; run dvc repro (or dvc pull) to make them"
        )
    rows = predictions.read(PREDICTIONS / f"{model}{predictions.SUFFIX}")
    splits_of_model = list(dict.fromkeys(rows.split.tolist()))
    if split not in splits_of_model:
        raise UserError(
            f"the split must be one that {model} predicted ({list_names(splits_of_model)}); "
            f"got {split!r}"
        )
    return rows.take(rows.split == split)


def _read_texts(split: str) -> dict[str, str]:
    """Return the texts of a split by id; none if the splits are not here."""
    if not SPLITS.exists():
        return {}
    tables = [read(["id", "text"]) for read in splits.open_columns(SPLITS).get(split, ())]
    return {
        name: text
        for table in tables
        for name, text in zip(table["id"].to_pylist(), table["text"].to_pylist(), strict=True)
    }


def _labels(positions: Any, classes: tuple[str, ...]) -> list[Any]:
    """Return the names of classes (rows,) or of sets of labels (rows, labels)."""
    if positions.ndim == 2:
        return conformal.labels_of(positions, classes)
    names = [*classes, None]  # the last for a position of -1
    return [names[position] for position in positions.tolist()]
