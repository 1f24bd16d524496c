"""HTML pages that stand alone: their template, style, script and parts."""
