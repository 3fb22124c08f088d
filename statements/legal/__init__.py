"""The duties that laws impose on notices, one TOML file a law. See docs/legal-checks.md."""
