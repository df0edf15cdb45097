"""`easel doctor`: one line for each thing that Easel needs, with the remedy for a fault."""
