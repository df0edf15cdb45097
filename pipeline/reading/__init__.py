"""The process that reads strangers' files: a short life without token, GPU, socket and files."""
