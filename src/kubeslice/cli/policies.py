"""`policies`: the rules that the namespaces of a project live under, for GitOps or `kubectl apply -f -`."""

from typing import Annotated

import typer

from kubeslice.cli.target import Context, Kubeconfig, fail, run_with_api
from kubeslice.kube import objects
from kubeslice.kube.api import Api, Object

app = typer.Typer(help="Print the policies of a project.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def _group() -> None:
    """Keep `render` a command of its own, though it is the only one."""


@app.command()
def render(
    project: Annotated[str, typer.Argument(help="Name of the project.")],
    form: Annotated[str, typer.Option("--format", help="vap (Kubernetes 1.30) or gatekeeper (3.18).")] = "vap",
    kubeconfig: Kubeconfig = None,
    context: Context = None,
) -> None:
    """Print what a project's spec.policyBundles ask for, to be applied in each of its worker clusters."""
    import yaml

    found = run_with_api(kubeconfig, context, lambda api: _rendered(api, project, form))
    typer.echo(yaml.safe_dump_all(found, sort_keys=False, explicit_start=True, width=120), nl=False)


async def _rendered(api: Api, project: str, form: str) -> list[Object]:
    from kubeslice.model import names
    from kubeslice.model.project import Project
    from kubeslice.model.resources import PROJECTS, SLICECONFIGS
    from kubeslice.plan.tenants import policy_forms

    forms = {"vap": policy_forms.admission_policies, "gatekeeper": policy_forms.gatekeeper}
    if form not in forms:
        fail(f"--format {form!r} is not known: use {' or '.join(forms)}")
    spec = Project.parse(await api.get(PROJECTS, project, names.HUB_NAMESPACE)).spec
    if not spec.policy_bundles:
        fail(f"project {project} has no policies: name network, storage, resources or security in spec.policyBundles")
    slices = [objects.name(obj) for obj in (await api.list(SLICECONFIGS, names.project_namespace(project))).items]
    if not slices:
        fail(f"project {project} has no slice yet: its policies are about the namespaces of its slices")
    return forms[form](policy_forms.Tenant(project, slices, spec.policy_bundles, spec.allowed_storage_classes))
