"""Choice of the rows for the next forward pass, and the use of its predictions."""
