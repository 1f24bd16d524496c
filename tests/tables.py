"""Made-up tables as hard as real ones: topics overlap, with noise, wrong labels, repeats."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

WORDS = 4_000  # of all texts
TOPIC_WORDS = 60  # words that a class prefers
TOPIC_SHARE = 0.3  # of a text's words that come from its topic
WRONG = 0.05  # share of wrong labels
REPEATED = 0.02  # share of rows that repeat an earlier text
LENGTHS = (4, 24)  # fewest and most words of a text


def write_table(path: Path, shares: Sequence[float], count: int, seed: int = 0) -> None:
    """Write a CSV with the columns ticket, day, message and team; `shares` are the classes'."""
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(("ticket", "day", "message", "team"))
        for number, (message, team) in enumerate(rows(shares, count, seed)):
            table.writerow(
                (f"T{number:06}", f"2024-{1 + number % 12:02}-{1 + number % 28:02}", message, team)
            )


def rows(shares: Sequence[float], count: int, seed: int) -> Iterator[tuple[str, str]]:
    """Yield texts and labels; the first rows have each class ten times, for every split."""
    generator = np.random.default_rng(seed)
    classes = len(shares)
    frequencies = 1 / np.arange(1, WORDS + 1)
    frequencies /= frequencies.sum()
    topics = [generator.choice(WORDS, TOPIC_WORDS, replace=False) for _ in range(classes)]
    labels = np.concatenate(
        [np.tile(np.arange(classes), 10), generator.choice(classes, count, p=shares)]
    )[:count]
    texts: list[str] = []
    for label in generator.permutation(labels):
        length = generator.integers(*LENGTHS)
        words = generator.choice(WORDS, length, p=frequencies)
        chosen = generator.random(length) < TOPIC_SHARE
        words[chosen] = generator.choice(topics[label], chosen.sum())
        text = " ".join(f"w{word}" for word in words)
        if texts and generator.random() < REPEATED:
            text = texts[generator.integers(len(texts))]
        texts.append(text)
        given = generator.choice(classes, p=shares) if generator.random() < WRONG else label
        yield text, f"team {given}"
