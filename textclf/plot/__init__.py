"""Chart specifications in Vega-Lite, with which the stage plot, the report and `dvc plots` draw, and their SVG."""
