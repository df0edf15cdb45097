"""The vendored part of Unicode's table of look-alike characters."""
