"""python -m quarterdeck.demo --home DIR"""

from __future__ import annotations

import argparse
import sys

from quarterdeck.config.home import Home
from quarterdeck.demo.turning import main

parser = argparse.ArgumentParser(prog="quarterdeck.demo", description="Keeps the demo world moving.")
parser.add_argument("--home", required=True, help="The demo's home.")
sys.exit(main(Home.find(parser.parse_args().home)))
