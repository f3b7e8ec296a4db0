"""Makes the pages under `docs/reference` from the code, so that they cannot say anything else than it does.

Each module makes one page, or one for each kind; `python -m kubeslice.reference` writes or checks them.
"""
