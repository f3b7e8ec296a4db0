"""What everything is called and shaped like: custom resources, names, errors, conditions. Pure: no I/O, no clocks.

Import the module that holds what you need (`kubeslice.model.sliceconfig`), never this package: each process pays only
for the kinds it uses.
"""
