import pytest

from fluvial.toolkit.client import ClusterConfig, ConfigError, TokenFile

CONFIG = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "dev",
    "contexts": [
        {"name": "dev", "context": {"cluster": "c", "user": "u", "namespace": "team"}},
        {"name": "ops", "context": {"cluster": "c", "user": "other"}},
    ],
    "clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:1/base/"}}],
    "users": [
        {"name": "u", "user": {"token": "abc"}},
        {"name": "other", "user": {"token": "def"}},
    ],
}


async def test_a_kubeconfig_gives_server_token_and_namespace():
    config = await ClusterConfig.from_kubeconfig(CONFIG)
    assert config.server == "http://127.0.0.1:1/base"
    assert config.namespace == "team"
    assert await config.credentials.headers() == {"Authorization": "Bearer abc"}


async def test_a_context_can_be_named():
    config = await ClusterConfig.from_kubeconfig(CONFIG, "ops")
    assert config.namespace == "default"
    assert await config.credentials.headers() == {"Authorization": "Bearer def"}


async def test_a_missing_kubeconfig_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"nowhere\.yaml"):
        await ClusterConfig.from_kubeconfig(tmp_path / "nowhere.yaml")


async def test_a_token_file_is_read_again_when_refused(tmp_path):
    path = tmp_path / "token"
    path.write_text("one\n")
    credentials = TokenFile(path)
    assert await credentials.headers() == {"Authorization": "Bearer one"}
    path.write_text("two\n")
    assert await credentials.headers() == {"Authorization": "Bearer one"}
    assert await credentials.headers(refresh=True) == {"Authorization": "Bearer two"}
    path.unlink()
    assert await credentials.headers(refresh=True) == {"Authorization": "Bearer two"}


async def test_a_missing_token_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match="cannot read the token file"):
        await TokenFile(tmp_path / "token").headers()


def test_outside_of_a_pod_there_is_no_cluster(tmp_path):
    with pytest.raises(ConfigError, match="KUBERNETES_SERVICE_HOST"):
        ClusterConfig.in_cluster(tmp_path, {})
