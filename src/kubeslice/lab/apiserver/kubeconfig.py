"""The kubeconfig that an API server writes for its administrator; the lab makes others in the same form."""

import base64

import orjson


def kubeconfig(url: str, authority: bytes, token: str, user: str = "admin", cluster: str = "kubernetes") -> bytes:
    """Return a kubeconfig (JSON, which is YAML) for one user of one cluster. `authority` is a PEM certificate."""
    data = base64.b64encode(authority).decode()
    context = f"{user}@{cluster}"
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": cluster, "cluster": {"server": url, "certificate-authority-data": data}}],
        "users": [{"name": user, "user": {"token": token}}],
        "contexts": [{"name": context, "context": {"cluster": cluster, "user": user}}],
        "current-context": context,
    }
    return orjson.dumps(config, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
