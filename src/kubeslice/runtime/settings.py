"""Settings come from the environment, once, in `main`; a missing one is named with what to do."""

import os


class MissingSetting(Exception):
    """An environment variable that the process cannot start without."""


def required(name: str) -> str:
    """Return an environment variable. Raises `MissingSetting`."""
    value = os.environ.get(name, "")
    if not value:
        raise MissingSetting(f"{name} is not set in the environment: the manifests set it, see `kubeslice manifests`")
    return value


def optional(name: str, default: str = "") -> str:
    """Return an environment variable, or `default`."""
    return os.environ.get(name) or default


def port(name: str, default: int) -> int:
    """Return a port number from the environment. Raises `MissingSetting` when it is not one."""
    text = os.environ.get(name) or str(default)
    if not text.isdecimal() or not 0 <= int(text) <= 65535:
        raise MissingSetting(f"{name}={text!r} is not a port: write a number from 0 to 65535")
    return int(text)


def whole(name: str, default: int, *, least: int = 0) -> int:
    """Return a whole number from the environment. Raises `MissingSetting` when it is not one, or less than `least`."""
    text = os.environ.get(name) or str(default)
    if not text.isdecimal() or int(text) < least:
        raise MissingSetting(f"{name}={text!r} does not do: write a whole number of at least {least}")
    return int(text)


def seconds(name: str, default: float, *, least: float) -> float:
    """Return a time from the environment. Raises `MissingSetting` when it is not one, or less than `least`."""
    text = os.environ.get(name) or str(default)
    if not text.replace(".", "", 1).isdecimal() or float(text) < least:
        raise MissingSetting(f"{name}={text!r} does not do: write seconds, {least:g} or more")
    return float(text)
