"""Who may do what: the rules file, grants, break-glass, and the answers to `why` and `grants`."""
