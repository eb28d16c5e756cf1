"""Sweeps: W&B's sweep files, checked before anything starts, run by its server or by none.

The parts are imported from their own modules: a trial needs one small one of them, and should not
wait for the rest.
"""
