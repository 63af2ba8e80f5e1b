from fluvial.cluster.fields.scale import parent_managed_fields, scale_managed_fields

REPLICAS = {"apps/v1": ("f:spec", "f:replicas")}


def entry(manager, spec, version="apps/v1", **more):
    return {
        "manager": manager,
        "operation": "Apply",
        "apiVersion": version,
        "time": "2026-01-01T00:00:00Z",
        "fieldsType": "FieldsV1",
        "fieldsV1": {"f:spec": spec},
        **more,
    }


def test_only_owners_of_the_replicas_are_in_the_scale():
    parent = [entry("a", {"f:replicas": {}, "f:paused": {}}), entry("b", {"f:paused": {}})]
    assert scale_managed_fields(parent, REPLICAS) == [
        entry("a", {"f:replicas": {}}, "autoscaling/v1")
    ]


def test_a_write_of_the_scale_takes_the_replicas_and_leaves_the_rest():
    parent = [entry("a", {"f:replicas": {}, "f:paused": {}})]
    scale = [entry("h", {"f:replicas": {}}, "autoscaling/v1", subresource="scale")]
    after = parent_managed_fields(parent, scale, REPLICAS, "apps/v1")
    taken = entry("h", {"f:replicas": {}}, subresource="scale")
    del taken["time"]
    assert after == [taken, entry("a", {"f:paused": {}})]


def test_an_owner_that_stays_keeps_its_entry():
    parent = [entry("a", {"f:replicas": {}})]
    scale = scale_managed_fields(parent, REPLICAS)
    assert parent_managed_fields(parent, scale, REPLICAS, "apps/v1") == parent
