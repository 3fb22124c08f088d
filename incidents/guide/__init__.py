"""The guide to a new incident: one question at a time, from a template of a common case."""
