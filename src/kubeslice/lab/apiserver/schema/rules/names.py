"""The syntax of names, labels, keys and ports, with the sentences that Kubernetes answers.

Each function returns the complaints about one string; no complaint is the empty list.
Source: k8s.io/apimachinery/pkg/util/validation.
"""

import re
from collections.abc import Callable

NameCheck = Callable[[str], list[str]]

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_LABEL_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?"
_NAME_PART = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_LABEL_VALUE = f"({_NAME_PART})?"
_CONFIG_KEY = "[-._a-zA-Z0-9]+"
_ENV_NAME = "[-._a-zA-Z][-._a-zA-Z0-9]*"
_ALNUM_ENDS = "must start and end with an alphanumeric character"
_QUALIFIED = f"must consist of alphanumeric characters, '-', '_' or '.', and {_ALNUM_ENDS}"


def _explained(message: str, pattern: str, *examples: str) -> str:
    shown = " or ".join(f"'{example}', " for example in examples)
    return f"{message} (e.g. {shown}regex used for validation is '{pattern}')"


_LABEL_TEXT = _explained(
    f"a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and {_ALNUM_ENDS}",
    _LABEL,
    "my-name",
    "123-abc",
)
_SUBDOMAIN_TEXT = _explained(
    f"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and {_ALNUM_ENDS}",
    _SUBDOMAIN,
    "example.com",
)
_LABEL_1035_TEXT = _explained(
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
    "and end with an alphanumeric character",
    _LABEL_1035,
    "my-name",
    "abc-123",
)
_NAME_PART_TEXT = _explained(_QUALIFIED, _NAME_PART, "MyName", "my.name", "123-abc")
_LABEL_VALUE_TEXT = _explained(
    f"a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and {_ALNUM_ENDS}",
    _LABEL_VALUE,
    "MyValue",
    "my_value",
    "12345",
)
_CONFIG_KEY_TEXT = _explained(
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
    _CONFIG_KEY,
    "key.name",
    "KEY_NAME",
    "key-name",
)
_ENV_NAME_TEXT = _explained(
    "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', "
    "and must not start with a digit",
    _ENV_NAME,
    "my.env-name",
    "MY_ENV.NAME",
    "MyEnvName1",
)


def _checked(text: str, pattern: str, message: str, limit: int) -> list[str]:
    found = [f"must be no more than {limit} bytes"] if len(text.encode()) > limit else []
    return found if re.fullmatch(pattern, text) else [*found, message]


def dns_label(text: str) -> list[str]:
    """Check a DNS label of RFC 1123."""
    return _checked(text, _LABEL, _LABEL_TEXT, 63)


def dns_subdomain(text: str) -> list[str]:
    """Check a DNS subdomain of RFC 1123."""
    return _checked(text, _SUBDOMAIN, _SUBDOMAIN_TEXT, 253)


def dns_1035_label(text: str) -> list[str]:
    """Check a DNS label of RFC 1035, which starts with a letter."""
    return _checked(text, _LABEL_1035, _LABEL_1035_TEXT, 63)


def path_segment(text: str) -> list[str]:
    """Check a name that must only be safe in a URL, as RBAC objects have."""
    if text in (".", ".."):
        return [f"may not be '{text}'"]
    return [f"may not contain '{part}'" for part in ("/", "%") if part in text]


def qualified_name(text: str) -> list[str]:
    """Check a name with an optional DNS prefix (`example.com/name`), as label keys are."""
    prefix, slash, name = text.rpartition("/")
    if text.count("/") > 1:
        optional = "with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        return [f"a qualified name {_NAME_PART_TEXT} {optional}"]
    found: list[str] = []
    if slash and not prefix:
        found.append("prefix part must be non-empty")
    elif slash:
        found.extend(f"prefix part {why}" for why in dns_subdomain(prefix))
    if not name:
        found.append("name part must be non-empty")
    elif len(name) > 63:
        found.append("name part must be no more than 63 bytes")
    if not re.fullmatch(_NAME_PART, name):
        found.append(f"name part {_NAME_PART_TEXT}")
    return found


def label_value(text: str) -> list[str]:
    """Check the value of a label."""
    return _checked(text, _LABEL_VALUE, _LABEL_VALUE_TEXT, 63)


def config_key(text: str) -> list[str]:
    """Check a key of a ConfigMap or Secret."""
    found = _checked(text, _CONFIG_KEY, _CONFIG_KEY_TEXT, 253)
    if text == ".":
        found.append("must not be '.'")
    elif text == "..":
        found.append("must not be '..'")
    elif text.startswith(".."):
        found.append("must not start with '..'")
    return found


def env_name(text: str) -> list[str]:
    """Check the name of an environment variable."""
    return [] if re.fullmatch(_ENV_NAME, text) and not text.startswith("..") else [_ENV_NAME_TEXT]


def port_name(text: str) -> list[str]:
    """Check the name of a container port, an IANA service name."""
    found = []
    if len(text) > 15:
        found.append("must be no more than 15 bytes")
    if not re.fullmatch("[-a-z0-9]+", text):
        found.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not re.search("[a-z]", text):
        found.append("must contain at least one letter (a-z)")
    if "--" in text:
        found.append("must not contain consecutive hyphens")
    if text.startswith("-") or text.endswith("-"):
        found.append("must not begin or end with a hyphen")
    return found


def port_number(number: int) -> list[str]:
    """Check a port number."""
    return [] if 0 < number < 65536 else ["must be between 1 and 65535, inclusive"]
