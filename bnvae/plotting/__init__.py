"""Colours and figures."""
