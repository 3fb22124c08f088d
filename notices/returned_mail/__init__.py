"""Returned mail (bounces and complaints), and the suppression list."""
