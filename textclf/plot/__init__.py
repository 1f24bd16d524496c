"""Charts in Vega-Lite, for the stage plot, the report and `dvc plots`, and their SVG."""
