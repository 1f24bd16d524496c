"""Search for the best settings of a model, scored by cross-validation inside the training rows.

Read on in this order: `space` (the values of a trial, and the settings that they make), `proposals`
(what is tried next), `scores` (what survives a kill), `trials` (the search itself), `summary`.
"""
