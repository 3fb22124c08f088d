"""Proof of a notice after the send: ledger digests, exports, certificates, summaries, figures."""
