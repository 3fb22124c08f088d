"""What the laws ask of a notice, a file a law, and when. See docs/legal-checks.md."""
