"""The agent of a GPU host: it supervises a worker on its own computer and speaks for it over the link."""
