"""Synthetic exports of any size, for measurements and trials. See docs/synthetic-exports.md."""
