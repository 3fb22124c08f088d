"""What proves it afterwards: sealed ledgers and their export, certificates, reports, figures."""
