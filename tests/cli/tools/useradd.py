"""`useradd --system --create-home --home-dir FOLDER USER`: adds the user and makes the folder."""

import argparse
import os
import sys
from pathlib import Path

parser = argparse.ArgumentParser(prog="useradd", allow_abbrev=False)
parser.add_argument("--system", action="store_true")
parser.add_argument("--create-home", action="store_true")
parser.add_argument("--home-dir", type=Path, required=True)
parser.add_argument("user")
asked = parser.parse_args()
users = Path(os.environ["SYSTEM"], "passwd")
if asked.user in users.read_text().split():
    print(f"useradd: user '{asked.user}' already exists", file=sys.stderr)  # noqa: T201  as the real one
    sys.exit(9)
users.write_text(f"{users.read_text()}{asked.user}\n")
if asked.create_home:
    asked.home_dir.mkdir(mode=0o755)
