"""Jobs, their outputs and their members' defaults as frozen data, from and to rows of the tables."""
