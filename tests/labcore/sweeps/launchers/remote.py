"""Whole sweeps of the tiny plugin on a cluster, and what the tests ask of their notes."""

import contextlib
import dataclasses

from labcore.sweeps.launchers import connect
from labcore.sweeps.launchers.notes import Notes
from labcore.sweeps.local.engine import conduct, open_study
from labcore.sweeps.prepare import reopen
from tests.labcore.sweeps.sweeping import Heard


def go_there(folder, heard=None, **options):
    """Runs a sweep where its settings say; returns how it ended and its records."""
    prepared, settings = reopen(folder)
    heard = heard or Heard()
    remote = connect(folder, prepared, settings)
    settings = dataclasses.replace(settings, agents=remote.agents)
    with contextlib.closing(remote.starter):
        ended = conduct(folder, prepared, settings, watch=heard, launcher=remote, **options)
    store = open_study(folder, prepared.sweep, settings, reading=True)
    records = store.records()
    store.close()
    return ended, records


def notes_of(folder, number):
    """The notes of a trial."""
    return Notes(folder.trial_file(number, "lock").absolute())


def place_of(folder, number):
    """Where a trial is, once that is known."""
    notes = notes_of(folder, number)
    job = notes.read_job()
    return None if job is None else notes.read_place(job.name)
