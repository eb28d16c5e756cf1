"""What the tests ask of the notes of a trial that runs on a cluster."""

from labcore.sweeps.launchers.notes import Notes


def notes_of(folder, number):
    """The notes of a trial."""
    return Notes(folder.trial_file(number, "lock").absolute())


def place_of(folder, number):
    """Where a trial is, once that is known."""
    notes = notes_of(folder, number)
    job = notes.read_job()
    return None if job is None else notes.read_place(job.name)
