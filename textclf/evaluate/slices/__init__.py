"""Parts of the test rows in which a model may be weak: by columns of the table, and by what the texts are like."""
