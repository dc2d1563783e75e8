"""Finding secrets in text. The rest of the program uses `core/redact`."""
