"""What is there before the first step: nodes, storage targets and tasks at the master."""

from typing import Any

from harness.broken import SetUpError
from harness.population import Population
from harness.scenario.model import Scenario, TaskDecl
from harness.scope import Scope
from harness.world import Admin, AdminError, World
from simulated_agents.ports import NoReply


async def set_scene(
    scenario: Scenario, world: World, admin: Admin, population: Population, scope: Scope
) -> None:
    """Make what a scenario declares, and know it by name.

    Raises:
        SetUpError: the master refused one of them, or did not answer.

    """
    try:
        await _make_nodes(world, admin, population, scope)
        await _make_targets(scenario, world, admin, scope)
        await _make_tasks(scenario, world, admin, scope)
        await population.start_all(scope.names)
    except (AdminError, NoReply, KeyError, TypeError, ValueError) as error:
        raise SetUpError(f"the scenario cannot be set up: {error!s}") from error


async def _make_nodes(world: World, admin: Admin, population: Population, scope: Scope) -> None:
    names = scope.names
    for name in population.names:
        known = world.prefix + name
        made = await admin.data("POST", "/api/nodes", {"name": known})
        world.history.redactor.learn(made["token"])
        names[name] = {"name": known, "token": made["token"]}
    if population.names:
        ids = {node["name"]: node["id"] for node in await admin.data("GET", "/api/nodes")}
        for name in population.names:
            names[name]["id"] = ids[names[name]["name"]]
    for name in population.names:
        if labels := population.labels(name):
            labels = tuple(world.prefix + label for label in labels)
            body = {"name": names[name]["name"], "labels": ",".join(labels)}
            await admin.data("PUT", f"/api/nodes/{names[name]['id']}", body)


async def _make_targets(scenario: Scenario, world: World, admin: Admin, scope: Scope) -> None:
    for target in scenario.targets:
        world.history.redactor.learn_from({"config": target.config})
        body = {
            "name": world.prefix + target.name,
            "type": target.type,
            "enabled": True,
            "config": scope.fill(target.config),
        }
        scope.names[target.name] = await admin.data("POST", "/api/storage-targets", body)


async def _make_tasks(scenario: Scenario, world: World, admin: Admin, scope: Scope) -> None:
    for task in scenario.tasks:
        body = _task_body(task, world, scope)
        world.history.redactor.learn_from(body)
        made = await admin.data("POST", "/api/backup/tasks", body)
        scope.names[task.name] = {**made, "request": body}


def _task_body(task: TaskDecl, world: World, scope: Scope) -> dict[str, Any]:
    names = scope.names
    source = {"sourcePath": "/data"} if task.type == "file" else {}
    return {
        "name": world.prefix + task.name,
        "type": task.type,
        "enabled": True,
        "storageTargetIds": [names[target]["id"] for target in task.targets],
        **(
            {"nodePoolTag": f"{world.prefix}{task.pool}"}
            if task.agent is None
            else {"nodeId": names[task.agent]["id"]}
        ),
        "compression": "gzip",
        **source,
        **scope.fill(task.fields),
    }
