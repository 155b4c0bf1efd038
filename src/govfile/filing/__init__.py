"""What you send, and what became of it: submissions, their states, the ledger, names, and status files."""
