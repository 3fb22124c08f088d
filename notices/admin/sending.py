"""Sending in the desk."""
