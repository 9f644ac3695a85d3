"""python -m quarterdeck.cli, the same as qd."""

from quarterdeck.cli.main import main

main()
