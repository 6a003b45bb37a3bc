"""`python -m harness` is `muster`."""

from harness.entry import main

main()
