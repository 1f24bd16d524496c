"""Chart specifications in Vega-Lite, and their rendering as SVG.

The `plot` stage, the report and the templates of `dvc plots` all draw with these specifications.
"""
