import pytest

from fluvial.toolkit.artifacts import ArtifactServer, LocalStore

PACKAGED = ("True", "ChartPackageSucceeded")
A, B = "a" * 40, "b" * 40


@pytest.fixture
def files():
    return {
        "charts/app/Chart.yaml": "apiVersion: v2\nname: app\nversion: 1.2.3\n",
        "charts/app/values.yaml": "color: blue\nsize: {w: 1, h: 2}\n",
        "charts/app/templates/config.yaml": "kind: ConfigMap\n",
        "environments/prod.yaml": "size: {h: 9}\n",
    }


async def test_the_status_of_a_packaged_chart(system):
    system.source(commit=A)
    system.apply()
    async with system.running():
        status = await system.until(Ready=PACKAGED)
        await system.api.until(system.events)
    path = "helmchart/default/app/app-1.2.3.tgz"
    artifact = status["artifact"]
    assert artifact["revision"] == "1.2.3"
    assert artifact["path"] == path
    assert artifact["url"] == f"http://artifacts.test/{path}"
    assert artifact["size"] == (system.storage / path).stat().st_size
    assert status["url"] == "http://artifacts.test/helmchart/default/app/latest.tar.gz"
    assert (system.storage / path).with_name("latest.tar.gz").samefile(system.storage / path)
    assert status["observedSourceArtifactRevision"] == f"main@sha1:{A}"
    assert status["observedChartName"] == "app"
    assert status["observedGeneration"] == 1
    assert "observedValuesFiles" not in status
    message = "packaged 'app' chart with version '1.2.3'"
    assert [(c["type"], c["status"], c["reason"], c["message"]) for c in status["conditions"]] == [
        ("Ready", "True", "ChartPackageSucceeded", message),
        ("ArtifactInStorage", "True", "ChartPackageSucceeded", message),
    ]
    assert sorted(system.packaged()) == [
        "app/Chart.yaml",
        "app/templates/config.yaml",
        "app/values.yaml",
    ]
    [event] = system.api.all("Event")
    assert (event["reason"], event["message"]) == ("ChartPackageSucceeded", message)
    group = "source.toolkit.fluxcd.io"
    assert event["metadata"]["annotations"] == {
        f"{group}/revision": "1.2.3",
        f"{group}/digest": artifact["digest"],
    }


async def test_a_new_version_wakes_the_chart_and_is_announced(system, files):
    system.source(files, commit=A)
    system.apply()
    async with system.running():
        await system.revision("1.2.3")
        files["charts/app/Chart.yaml"] = "apiVersion: v2\nname: app\nversion: 1.3.0\n"
        system.source(files, commit=B)
        status = await system.revision("1.3.0")
        status = await system.until(Ready=PACKAGED)
    assert status["observedSourceArtifactRevision"] == f"main@sha1:{B}"
    assert system.condition("ArtifactOutdated") is None
    written = [
        w.body["status"].get("conditions", []) for w in system.api.writes() if "status" in w.body
    ]
    announced = [c for found in written for c in found if c["type"] == "ArtifactOutdated"]
    assert announced[0]["reason"] == "NewChart"
    assert announced[0]["message"] == "new 'app' chart with version '1.3.0'"


@pytest.mark.parametrize(
    ("strategy", "revision"), [("ChartVersion", "1.2.3"), ("Revision", f"1.2.3+{B[:12]}")]
)
async def test_the_strategy_says_what_a_new_revision_is_worth(system, files, strategy, revision):
    system.source(files, commit=A)
    system.apply(reconcileStrategy=strategy)
    async with system.running():
        first = (await system.until(Ready=PACKAGED))["artifact"]
        files["charts/app/templates/config.yaml"] = "kind: Secret\n"
        system.source(files, commit=B)
        await system.api.until(
            lambda: (
                system.status()["observedSourceArtifactRevision"] == f"main@sha1:{B}"
                and system.condition("Reconciling") is None
            )
        )
        status = await system.revision(revision)
    assert (status["artifact"] == first) == (strategy == "ChartVersion")


async def test_an_edited_spec_is_packaged_anew(system, files):
    system.source(files)
    system.apply()
    async with system.running():
        await system.revision("1.2.3")
        system.apply(generation=2, valuesFiles=["charts/app/values.yaml", "environments/prod.yaml"])
        status = await system.revision("1.2.3+2")
        status = await system.until(Ready=PACKAGED)
    message = "and merged values files [charts/app/values.yaml environments/prod.yaml]"
    assert status["conditions"][0]["message"].endswith(message)
    packaged = system.packaged()
    assert packaged["app/values.yaml"] == "color: blue\nsize:\n  h: 9\n  w: 1\n"
    assert "version: 1.2.3+2\n" in packaged["app/Chart.yaml"]


async def test_values_files_that_are_ignored_when_missing(system, files, requested):
    system.source(files)
    system.apply(valuesFiles=["none.yaml", "environments/prod.yaml"], ignoreMissingValuesFiles=True)
    async with system.running():
        status = await system.until(Ready=PACKAGED)
        before = status["conditions"]
        system.apply(
            annotations=requested("t"),
            valuesFiles=["none.yaml", "environments/prod.yaml"],
            ignoreMissingValuesFiles=True,
        )
        status = await system.handled("t")
    assert status["observedValuesFiles"] == ["environments/prod.yaml"]
    assert status["conditions"] == before


async def test_an_interval_in_which_nothing_changed_writes_nothing(system, requested):
    system.source()
    system.apply()
    async with system.running():
        await system.until(Ready=PACKAGED)
        await system.api.until(system.events)
        before = len(system.api.writes())
        await system.clock.advance(61)
        system.apply(annotations=requested("t"))
        await system.handled("t")
    written = [w for w in system.api.writes()[before:] if "/helmcharts/" in w.path]
    assert [w.body["status"] for w in written] == [{"lastHandledReconcileAt": "t"}]


STALLING = [
    ({"chart": "charts/none"}, "InvalidChartReference", "FetchFailed", "charts/none"),
    ({"chart": "README.md"}, "InvalidChartReference", "FetchFailed", "README.md"),
    ({"chart": "charts"}, "InvalidChartReference", "FetchFailed", "Chart.yaml is missing"),
    ({"valuesFiles": ["x.yaml"]}, "ValuesFilesError", "BuildFailed", "x.yaml"),
    (
        {"sourceRef": {"kind": "HelmRepository", "name": "apps"}},
        "UnsupportedSourceKind",
        "FetchFailed",
        "'HelmRepository' is not served yet",
    ),
    (
        {"sourceRef": {"kind": "Bucket", "name": "apps"}},
        "UnsupportedSourceKind",
        "FetchFailed",
        "'Bucket' is not served yet",
    ),
]


@pytest.mark.parametrize(("spec", "reason", "condition", "message"), STALLING)
async def test_what_only_an_edit_can_mend_stalls(system, spec, reason, condition, message):
    system.source()
    system.apply(**spec)
    async with system.running():
        status = await system.until(Stalled=("True", reason))
        assert message in system.condition("Ready")["message"]
        assert system.condition(condition)["reason"] == reason
        assert status["observedGeneration"] == 1
        assert "artifact" not in status
        system.apply(generation=2)
        await system.until(Ready=PACKAGED)
        assert system.condition("Stalled") is None
        assert system.condition(condition) is None


async def test_a_stalled_chart_is_revived_by_a_new_revision(system, files):
    system.source({"README.md": "nothing yet"}, commit=A)
    system.apply()
    async with system.running():
        await system.until(Stalled=("True", "InvalidChartReference"))
        system.source(files, commit=B)
        await system.until(Ready=PACKAGED)


async def test_a_dependency_that_is_not_vendored(system, files):
    files["charts/app/Chart.yaml"] += (
        "dependencies: [{name: redis, version: 1.x, repository: https://charts.example.com}]\n"
    )
    system.source(files, commit=A)
    system.apply()
    async with system.running():
        await system.until(Ready=("False", "DependencyBuildError"))
        assert "helm dependency build" in system.condition("BuildFailed")["message"]
        assert system.condition("Reconciling")["reason"] == "ProgressingWithRetry"
        files["charts/app/charts/redis/Chart.yaml"] = "apiVersion: v2\nname: redis\nversion: 1.0.0"
        system.source(files, commit=B)
        await system.until(Ready=PACKAGED)
        assert system.condition("BuildFailed") is None
    assert "app/charts/redis/Chart.yaml" in system.packaged()


async def test_a_source_that_comes_later(system):
    system.apply()
    async with system.running():
        await system.until(Ready=("False", "SourceUnavailable"))
        system.source_without_artifact()
        await system.api.until(lambda: True)
        system.source()
        await system.until(Ready=PACKAGED)
        assert system.condition("FetchFailed") is None


async def test_a_source_without_an_artifact_is_waited_for(system):
    system.source_without_artifact()
    system.apply()
    async with system.running():
        await system.until(Ready=("False", "NoSourceArtifact"))
        assert system.condition("FetchFailed")["message"] == (
            "no artifact available for GitRepository source 'apps'"
        )
        system.source()
        await system.until(Ready=PACKAGED)


async def test_an_artifact_of_another_process_is_fetched(system, files):
    elsewhere = system.tmp_path / "elsewhere"
    elsewhere.mkdir()
    store = LocalStore(elsewhere, "")
    async with ArtifactServer(store, host="127.0.0.1", port=0) as server, system.running():
        system.source(files, url=f"http://127.0.0.1:{server.port}")
        system.apply()
        await system.until(Ready=PACKAGED)


async def test_an_artifact_that_is_damaged_where_it_is_stored(system, files):
    system.source(files).write_bytes(b"x")
    system.apply()
    async with system.running():
        await system.until(Ready=("False", "SourceUnavailable"))
        assert "does not match" in system.condition("FetchFailed")["message"]


async def test_a_file_that_is_gone_is_waited_for(system, files):
    elsewhere = system.tmp_path / "elsewhere"
    elsewhere.mkdir()
    store = LocalStore(elsewhere, "")
    async with ArtifactServer(store, host="127.0.0.1", port=0) as server, system.running():
        system.source(files, url=f"http://127.0.0.1:{server.port}").unlink()
        system.apply()
        await system.until(Ready=("False", "NoSourceArtifact"))


@pytest.mark.parametrize("damage", ["lost", "corrupted"])
async def test_a_damaged_file_is_made_anew(system, requested, damage):
    system.source()
    system.apply()
    async with system.running():
        status = await system.until(Ready=PACKAGED)
        stored = system.storage / status["artifact"]["path"]
        content = stored.read_bytes()
        if damage == "lost":
            stored.unlink()
        else:
            stored.write_bytes(b"x")
        system.apply(annotations=requested("t"))
        after = await system.handled("t")
    assert stored.read_bytes() == content
    assert after["artifact"]["digest"] == status["artifact"]["digest"]
    assert after["url"] == status["url"]


async def test_deletion_removes_what_was_stored(system):
    system.source()
    system.apply()
    async with system.running():
        status = await system.until(Ready=PACKAGED)
        folder = (system.storage / status["artifact"]["path"]).parent
        obj = system.api.get("HelmChart", "app")
        assert obj["metadata"]["finalizers"] == ["finalizers.fluxcd.io"]
        obj["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
        system.api.put(obj)
        await system.api.until(lambda: not folder.exists())
