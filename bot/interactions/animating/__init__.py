"""The start of jobs that make something move."""
