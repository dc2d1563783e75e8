"""`python3`, whose `-m venv FOLDER` copies no packages: the new environment also finds those of the tests.

Its `pip` is the real one, checks names, versions and the form of the hashes, and finds all that is needed in place.
"""

import os
import sys
import sysconfig
import venv
from pathlib import Path

if sys.argv[1:3] != ["-m", "venv"]:
    os.execv(sys.executable, ["python3", *sys.argv[1:]])
folder = Path(sys.argv[3]).absolute()
venv.create(folder, symlinks=True)
python, packages = folder / "bin/python", f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
(folder / packages / "tests.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
(folder / "bin/pip").write_text(f'#!/bin/sh\nexec {python} {Path(__file__).with_name("pip_of_tests.py")} "$@"\n')
(folder / "bin/pip").chmod(0o755)
