"""A Kustomization from its source to the cluster, against an API and artifacts on the wire."""

DONE = ("True", "ReconciliationSucceeded")


async def test_the_first_run_applies_and_says_so(
    api, source, running_controller, kustomization, config_map
):
    revision = await source.push({"a.yaml": config_map("a"), "b.yaml": config_map("b")})
    api.put(kustomization())
    async with running_controller():
        await api.until_ready(*DONE)
    assert api.get("ConfigMap", "a")["metadata"]["labels"] == {
        "kustomize.toolkit.fluxcd.io/name": "apps",
        "kustomize.toolkit.fluxcd.io/namespace": "default",
    }
    status = api.status()
    assert status["observedGeneration"] == 1
    assert status["lastAppliedRevision"] == status["lastAttemptedRevision"] == revision
    assert status["inventory"]["entries"] == [
        {"id": "default_a__ConfigMap", "v": "v1"},
        {"id": "default_b__ConfigMap", "v": "v1"},
    ]
    assert [c["type"] for c in status["conditions"]] == ["Ready"]
    assert api.condition("Ready")["message"] == f"Applied revision: {revision}"
    assert api.get("Kustomization", "apps")["metadata"]["finalizers"] == ["finalizers.fluxcd.io"]
