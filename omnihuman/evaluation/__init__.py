"""Measures finished videos and reports on them."""
