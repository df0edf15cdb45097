"""Shared code of commands and buttons: services, answers, and the start of jobs."""
