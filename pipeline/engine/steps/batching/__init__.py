"""Choice of the rows for the next forward pass, and the forward passes."""
