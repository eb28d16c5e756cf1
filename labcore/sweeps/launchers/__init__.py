"""Where trials run: on this machine, or on others, started by Ray or by Slurm.

Wherever a trial runs, it is a fresh ``lab run`` whose folder lies on a disk that every machine
sees. What the controller and a trial's machine have to tell each other is in two small files beside
the trial's lock (:mod:`labcore.sweeps.launchers.notes`), so a controller can be killed and the next
one finds every trial. Neither Ray nor submitit is imported before a trial is started with it.
"""

from labcore.sweeps.launchers.choose import agents_of, check_launcher, connect, first_job

__all__ = ["agents_of", "check_launcher", "connect", "first_job"]
