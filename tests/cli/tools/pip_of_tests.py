"""`pip`, with the packages that are there and no index. The wheel of the program's folder is built once for all pages."""

import os
import re
import sys
from pathlib import Path

from pip._internal.cli.main import main

words = sys.argv[1:]
for number, word in enumerate(words):
    if found := re.fullmatch(r"\.(\[\w+\])?", word):
        wheels = Path(os.environ["WHEELS"])
        if not any(wheels.iterdir()):
            from setuptools.build_meta import build_wheel  # what pip calls

            build_wheel(str(wheels))
        (wheel,) = wheels.iterdir()
        words[number] = f"signalbox{found[1] or ''} @ {wheel.as_uri()}"
sys.exit(main(words))
