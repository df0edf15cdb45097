"""Sheets: their cells become jobs one after the other, and one message shows their pictures together."""
