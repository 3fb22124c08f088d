"""Published words in the desk."""
