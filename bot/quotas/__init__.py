"""Quotas of members and servers, as pure rules."""
