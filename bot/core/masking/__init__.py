"""How secrets are found in text; `core/redact` is what the rest of the program uses."""
