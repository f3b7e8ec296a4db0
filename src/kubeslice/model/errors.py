"""The two families of expected errors. Everything else that is raised is a bug and is logged with its traceback.

Reconcilers and pure plans raise them; `runtime.controller` decides what follows.
"""


class Retry(Exception):
    """Something transient: try again, after `after` seconds or after the queue's own back-off."""

    def __init__(self, sentence: str, *, after: float | None = None) -> None:
        super().__init__(sentence)
        self.after = after


class Terminal(Exception):
    """Input that cannot work: say the sentence in the object's status and wait until somebody changes something.

    `reason` is the CamelCase reason of the `Ready` condition.
    """

    def __init__(self, sentence: str, reason: str = "InvalidSpec") -> None:
        super().__init__(sentence)
        self.reason = reason
