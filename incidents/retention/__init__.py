"""Retention of an incident's data: what two people planned, its execution, and its proof."""
