"""The parity plugin with a hook of its own, which says when the network has got it."""

import dataclasses

import parity

from labcore.hooks import hookimpl


class Solved:
    """Says once at which step the loss has fallen below ``hooks.solved.below``."""

    def __init__(self, *, below: float = 0.1) -> None:
        self._below = below
        self._step: int | None = None

    @hookimpl
    def validation_ended(self, run, loop, values):
        """Looks at the loss that the validation has given."""
        if self._step is None and values["loss"] < self._below:
            self._step = loop.step
            run.say(f"solved at step {loop.step}")

    def state_dict(self):
        """Returns what a resumed run must know: it is put into the checkpoint."""
        return {"step": self._step}

    def load_state_dict(self, state):
        """Takes the state back from a checkpoint."""
        self._step = state["step"]


plugin = dataclasses.replace(parity.plugin, hooks={"solved": "solved:Solved"})
