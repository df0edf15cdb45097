"""The options of a request: their values, their bounds, and the table that declares each once."""
