"""The rows of a CSV file classified as a reader would write it: what benchmarks/scale.py times the pipeline against.

    python benchmarks/scale_plain.py sklearn corpus.csv
    python benchmarks/scale_plain.py fasttext corpus.csv

Prints the accuracy on a quarter of the rows. Nothing is imported from textclf, so that nothing of it slows or speeds
this up. fastText is run by an interpreter of its own that has it (see docs/scale.md).
"""

import csv
import os
import sys
import tempfile
from pathlib import Path


def sklearn(path: str) -> float:
    """Test accuracy of logistic regression on the counts of the 20,000 most frequent words, all rows in memory."""
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
    return float(model.score(vectorizer.transform(test_texts), test_labels))


def fasttext(path: str) -> float:
    """Test accuracy of fastText with its own defaults, on all cores; each fourth row is a test row."""
    import fasttext as library  # type: ignore[import-not-found, unused-ignore]

    with tempfile.TemporaryDirectory(dir=Path(path).parent) as folder:
        train, test = Path(folder, "train.txt"), Path(folder, "test.txt")
        with (
            Path(path).open(encoding="utf-8", newline="") as file,
            train.open("w", encoding="utf-8") as first,
            test.open("w", encoding="utf-8") as second,
        ):
            rows = csv.reader(file)
            next(rows)  # the names of the columns
            for number, (text, label) in enumerate(rows):
                (first if number % 4 else second).write(f"__label__{label} {text}\n")
        model = library.train_supervised(str(train), thread=os.cpu_count(), verbose=0)
        return float(model.test(str(test))[1])


if __name__ == "__main__":
    print({"sklearn": sklearn, "fasttext": fasttext}[sys.argv[1]](sys.argv[2]))
