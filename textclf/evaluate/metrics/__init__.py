"""The kinds of metrics: what each measures of judged rows, and how certain it is."""
