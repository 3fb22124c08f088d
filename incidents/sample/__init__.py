"""The exports of the sample incidents: as files, or written by code."""
