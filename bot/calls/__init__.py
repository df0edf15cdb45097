"""Calls to Discord: time-outs, safe repeats, and one answer for each error."""
