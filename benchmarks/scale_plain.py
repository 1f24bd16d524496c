"""Plain scripts that classify a CSV file's rows; benchmarks/scale.py compares with them.

    python benchmarks/scale_plain.py sklearn corpus.csv
    python benchmarks/scale_plain.py fasttext corpus.csv

Prints the accuracy on a quarter of the rows, and their number. Imports nothing from textclf, which
would change the arithmetic and the start-up time. fastText runs in a Python environment of its own
(see docs/scale.md).
"""

import csv
import os
import sys
import tempfile
from pathlib import Path


def sklearn(path: str) -> tuple[float, int]:
    """Return accuracy and number of test rows of logistic regression on word counts.

    The words are the 20,000 most frequent ones.
    """
    import pandas as pd
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import train_test_split

    rows = pd.read_csv(path)
    texts, labels = rows["text"].to_numpy(dtype=object), rows["label"].to_numpy()
    train_texts, test_texts, train_labels, test_labels = train_test_split(
        texts, labels, test_size=0.25, random_state=1000
    )
    vectorizer = CountVectorizer(max_features=20_000)
    model = LogisticRegression().fit(vectorizer.fit_transform(train_texts), train_labels)
    return float(model.score(vectorizer.transform(test_texts), test_labels)), len(test_labels)


def fasttext(path: str) -> tuple[float, int]:
    """Return accuracy and number of test rows of fastText's defaults on all cores.

    Every fourth row is a test row.
    """
    import fasttext as library  # type: ignore[import-not-found, unused-ignore]

    with tempfile.TemporaryDirectory(dir=Path(path).parent) as folder:
        train, test = Path(folder, "train.txt"), Path(folder, "test.txt")
        with (
            Path(path).open(encoding="utf-8", newline="") as file,
            train.open("w", encoding="utf-8") as train_file,
            test.open("w", encoding="utf-8") as test_file,
        ):
            rows = csv.reader(file)
            next(rows)  # column names
            for number, (text, label) in enumerate(rows):
                (train_file if number % 4 else test_file).write(f"__label__{label} {text}\n")
        model = library.train_supervised(str(train), thread=os.cpu_count(), verbose=0)
        tested, precision, _ = model.test(str(test))
        return float(precision), int(tested)


if __name__ == "__main__":
    print(*{"sklearn": sklearn, "fasttext": fasttext}[sys.argv[1]](sys.argv[2]))
