"""Reading and replacing our nftables tables through `nft -j`, one transaction at a time."""

import json
from collections.abc import Sequence
from typing import Any

from kubeslice.linux.commands import CommandFailed, run
from kubeslice.linux.netns import Namespace
from kubeslice.model.names import NFT_TABLE
from kubeslice.plan.datapath.firewall import Element, Json, SeenTable, Table, update


def ensure(table: Table, namespace: Namespace | None = None) -> bool:
    """Make the kernel's table equal to `table`; tell whether anything had to change."""
    commands = update(read(table.family, namespace), table)
    apply(commands, namespace)
    return bool(commands)


def apply(commands: Sequence[Json], namespace: Namespace | None = None) -> None:
    """Run nftables commands as one transaction."""
    if commands:
        run(["nft", "-j", "-f", "-"], text=json.dumps({"nftables": list(commands)}), namespace=namespace)


def remove(family: str, namespace: Namespace | None = None) -> None:
    """Delete our table of a family, if there is one."""
    own = {"table": {"family": family, "name": NFT_TABLE}}
    apply([{"add": own}, {"delete": own}], namespace)


def read(family: str, namespace: Namespace | None = None) -> SeenTable | None:
    """Return our table of a family as the kernel has it, None when there is none."""
    try:
        text = run(["nft", "-j", "list", "table", family, NFT_TABLE], namespace=namespace)
    except CommandFailed as failure:
        if "No such file or directory" in str(failure):
            return None
        raise
    entries: list[dict[str, Any]] = json.loads(text)["nftables"]
    return SeenTable(
        marks=tuple(str(entry["rule"].get("comment", "")) for entry in entries if "rule" in entry),
        elements={entry["set"]["name"]: _elements(entry["set"]) for entry in entries if "set" in entry},
    )


def _elements(group: dict[str, Any]) -> frozenset[Element]:
    return frozenset(_element(item) for item in group.get("elem") or [])


def _element(item: Any) -> Element:
    return tuple(str(part) for part in item["concat"]) if isinstance(item, dict) else (str(item),)
