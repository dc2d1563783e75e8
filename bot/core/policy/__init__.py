"""The rules: the file as models, its compilation, and the decision. Pure."""
