"""Buttons and forms that draw a part of a picture anew, or what lies around it."""
