"""Label issues: rows whose label contradicts models that were trained on other rows.

Read on in this order: `issues` (held-out probabilities, confident learning), `texts` (texts with
several labels), `similar` (nearly the same texts), `summary` (numbers and table), `page`.
"""
