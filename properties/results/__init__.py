"""What comes out: verdicts and traces, the table of expectations and the ledger, the findings and their cures."""
