"""The lesson as one plain script, the baseline of benchmarks/bench.py: no textclf, no DVC.

    python benchmarks/plain.py data/raw/yelp_labelled.txt

Prints accuracies, and as its last word the seconds of building, compiling, summarising and fitting
the network. Unlike the lesson it draws no figure.
"""

import argparse
import csv
import time

import keras
import pandas as pd
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

parser = argparse.ArgumentParser(description="Run the lesson as one plain script.")
parser.add_argument("file", help="a corpus: lines of a sentence, a tab and a label 0 or 1")
given = parser.parse_args()

frame = pd.read_csv(given.file, names=["sentence", "label"], sep="\t", quoting=csv.QUOTE_NONE)
sentences, labels = frame["sentence"].to_numpy(dtype=object), frame["label"].to_numpy()
train, test, y_train, y_test = train_test_split(
    sentences, labels, test_size=0.25, random_state=1000
)

vectorizer = CountVectorizer()
X_train = vectorizer.fit_transform(train)
X_test = vectorizer.transform(test)

regression = LogisticRegression().fit(X_train, y_train)
scores = regression.score(X_train, y_train), regression.score(X_test, y_test)
regressed = time.perf_counter()

model = keras.Sequential(
    [
        keras.Input((X_train.shape[1],)),
        keras.layers.Dense(10, activation="relu"),
        keras.layers.Dense(1, activation="sigmoid"),
    ]
)
model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
model.summary()
model.fit(
    X_train.toarray(),
    y_train,
    epochs=100,
    verbose=False,
    validation_data=(X_test.toarray(), y_test),
    batch_size=10,
)
trained = time.perf_counter()

_, train_accuracy = model.evaluate(X_train.toarray(), y_train, verbose=False)
_, test_accuracy = model.evaluate(X_test.toarray(), y_test, verbose=False)

print(f"logistic regression: train {scores[0]:.4f}, test {scores[1]:.4f}")
print(f"network: train {train_accuracy:.4f}, test {test_accuracy:.4f}")
print(f"seconds of the fit: {trained - regressed:.2f}")
