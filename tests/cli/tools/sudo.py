"""`sudo [-u USER] COMMAND`: runs it if the user exists. PostgreSQL's programs connect under that user's name."""

import os
import sys
from pathlib import Path

words = sys.argv[1:]
user = "root"
if words[:1] == ["-u"]:
    user, words = words[1], words[2:]
if user not in Path(os.environ["SYSTEM"], "passwd").read_text().split():
    sys.exit(f"sudo: unknown user {user}")
if not words or words[0].startswith("-"):
    sys.exit("usage: sudo [-u user] command")
os.execvpe(words[0], words, {**os.environ, "PGUSER": user})
