"""The content of the public pages: contexts, feeds, differences, linked data, preview images."""
