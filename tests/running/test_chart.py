"""The Helm chart renders to valid objects that run the same processes as compose.yaml.

`make lint-deploy` installs what these tests need; without it they are skipped.
"""

import re
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import yaml

from breachportal.production_settings import REQUIRED_IN_PRODUCTION
from harness.nginx import NGINX
from harness.product import free_port
from tests.house.test_docs import variables_read
from tests.local_server import serving
from tests.running.container_files import CHART, compose, processes_of_compose, unit
from tests.running.test_deployment import processes

chart = pytest.importorskip("helm_python.chart", reason="`make lint-deploy` installs it")
kubernetes_validate = pytest.importorskip("kubernetes_validate")

VARIANTS: dict[str, dict[str, Any]] = {
    "as it comes": {},
    "everything": {
        "web": {"autoscaling": {"enabled": True}},
        "image": {"digest": "sha256:" + "0" * 64, "pullSecrets": [{"name": "registry"}]},
        "bounces": {"from": [{"ipBlock": {"cidr": "10.1.0.0/16"}}]},
        "ingress": {"annotations": {"example.com/a": "b"}},
        "nodeSelector": {"kubernetes.io/arch": "arm64"},
        "tolerations": [{"key": "a", "operator": "Exists"}],
    },
    "as little as possible": {
        "redis": {"enabled": False},
        "bounces": {"enabled": False},
        "ingress": {"enabled": False},
        "networkPolicy": {"enabled": False},
    },
}


def rendered(values: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    files = chart.Chart.load(str(CHART)).render(values, name="trial", namespace="breach")
    return [one for text in files.values() for one in yaml.safe_load_all(text) if one]


def pods(values: dict[str, Any] | None = None) -> dict[str, dict[str, Any]]:
    """Returns the specification of the pods of each Deployment and Job, by its short name."""
    return {
        one["metadata"]["name"].removeprefix("trial-"): one["spec"]["template"]["spec"]
        for one in rendered(values)
        if one["kind"] in ("Deployment", "Job")
    }


def container(name: str) -> dict[str, Any]:
    return next(one for one in pods()[name]["containers"] if one["name"] == name)


def settings(values: dict[str, Any] | None = None) -> dict[str, str]:
    [found] = [one for one in rendered(values) if one["metadata"]["name"] == "trial-settings"]
    return found["data"]


@pytest.mark.parametrize("values", VARIANTS.values(), ids=VARIANTS)
@pytest.mark.parametrize("version", ["1.29", "1.37"])
def test_kubernetes_accepts_every_object(values, version):
    for one in rendered(values):
        kubernetes_validate.validate(one, version, strict=True)


@pytest.mark.parametrize("values", VARIANTS.values(), ids=VARIANTS)
def test_helm_finds_no_fault(values):
    report = chart.lint(str(CHART), values, strict=True)
    assert [one for one in report["messages"] if one["severity"] > 1] == []


def test_the_chart_runs_the_processes_of_compose():
    # The copy is for an nginx on the same host; the pages are behind the cluster's ingress here.
    wanted = set(processes_of_compose()) - {"copy"}
    assert set(pods()) == wanted | {"redis", "prepare"}
    for name in wanted:
        assert container(name)["args"] == processes_of_compose()[name]["command"]
        if "TimeoutStopSec" in unit(name):
            grace = pods()[name]["terminationGracePeriodSeconds"]
            assert grace == int(unit(name)["TimeoutStopSec"])


def test_prepare_does_what_it_does_in_compose():
    [script] = container("prepare")["args"]
    assert [script] == compose()["services"]["prepare"]["command"]


def test_the_numbers_of_processes_are_those_of_the_procfile():
    defaults: dict[str, str] = {}
    for command in processes().values():
        defaults |= dict(re.findall(r"\$\{(\w+):-(\d+)\}", command))
    del defaults["PORT"]
    assert {name: settings()[name] for name in defaults} == defaults
    scaled = settings({"web": {"autoscaling": {"enabled": True}}, "send": {"replicas": 3}})
    assert (scaled["WEB_HOSTS"], scaled["WORKER_HOSTS"]) == ("6", "3")


def test_production_has_its_settings_and_each_setting_is_read():
    files = {one["name"].removesuffix("_FILE") for one in container("web")["env"]}
    assert set(REQUIRED_IN_PRODUCTION) <= files | set(settings())
    assert files | set(settings()) <= variables_read() | {"GRANIAN_LOG_CONFIG"}


def test_only_the_import_and_prepare_have_other_accounts():
    having = {
        name: {volume["secret"]["secretName"] for volume in pod["volumes"] if "secret" in volume}
        for name, pod in pods().items()
    }
    for name, secrets in having.items():
        others = {"import": {"breachportal-import"}, "prepare": {"breachportal-owner"}}
        own = {"breachportal-redis"} if name == "redis" else {"breachportal"}
        assert secrets == own | others.get(name, set()), name
    # The URL of the portal's account is not mounted where another account is used.
    for name in ("import", "prepare"):
        [portal] = [one for one in pods()[name]["volumes"] if one["name"] == "portal"]
        assert "DATABASE_URL" not in [item["key"] for item in portal["secret"]["items"]]


@pytest.mark.parametrize("values", VARIANTS.values(), ids=VARIANTS)
def test_every_pod_is_confined(values):
    for name, pod in pods(values).items():
        assert pod["automountServiceAccountToken"] is False, name
        security = pod["securityContext"]
        assert (security["runAsNonRoot"], security["runAsUser"]) == (True, 10001), name
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}, name
        for one in pod["containers"]:
            assert one["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }, one["name"]
            assert set(one["resources"]) == {"requests", "limits"}, one["name"]


def test_a_worker_is_never_killed_because_redis_is_away():
    for name in ("send", "import", "work", "beat"):
        assert "livenessProbe" not in container(name)
        assert container(name)["readinessProbe"]["exec"]["command"][1:] == ["healthy", name]
    assert container("web")["livenessProbe"]["httpGet"]["path"] == "/healthz"


def test_there_is_one_clock():
    [beat] = [one for one in rendered() if one["metadata"]["name"] == "trial-beat"]
    assert (beat["spec"]["replicas"], beat["spec"]["strategy"]) == (1, {"type": "Recreate"})


def test_who_connects_where():
    policies = {
        one["metadata"]["name"]: one["spec"] for one in rendered() if one["kind"] == "NetworkPolicy"
    }
    assert policies["trial"]["policyTypes"] == ["Ingress", "Egress"]
    assert "ingress" not in policies["trial"]
    outside = policies["trial-outside"]["podSelector"]["matchExpressions"]
    assert outside[0]["values"] == ["web", "send", "work"]
    [into_web] = policies["trial-web"]["ingress"]
    assert [one["port"] for one in into_web["ports"]] == [8080]  # the proxy, and not the portal


class Echo(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        headers = sorted(f"{name.lower()}={value}" for name, value in self.headers.items())
        self.send_response(200)
        self.end_headers()
        self.wfile.write("\n".join(headers).encode())

    def log_message(self, *_words: Any) -> None:
        pass


@contextmanager
def proxied(folder) -> Iterator[int]:
    """Context manager: nginx of the chart, before a server that echoes headers; gives its port."""
    echo, port = HTTPServer(("127.0.0.1", 0), Echo), free_port()
    values = {"proxy": {"trusted": ["127.0.0.1/32"]}}
    [found] = [one for one in rendered(values) if one["metadata"]["name"] == "trial-proxy"]
    text = found["data"]["nginx.conf"].replace("/tmp/", f"{folder}/")  # noqa: S108
    text = text.replace("listen 8080", f"listen 127.0.0.1:{port}")
    text = text.replace("127.0.0.1:8000", f"127.0.0.1:{echo.server_port}")
    (folder / "nginx.conf").write_text(text)
    assert NGINX
    process = subprocess.Popen([NGINX, "-c", folder / "nginx.conf", "-g", "daemon off;"])
    try:
        with serving(echo):
            yield port
    finally:
        process.terminate()
        process.wait(timeout=10)


@pytest.mark.skipif(not NGINX, reason="nginx is not installed")
def test_the_proxy_names_the_visitor_and_believes_no_visitor(tmp_path):
    with proxied(tmp_path) as port:

        def headers(**given: str) -> dict[str, str]:
            request = urllib.request.Request(f"http://127.0.0.1:{port}/")
            for name, value in given.items():
                request.add_header(name.replace("__", "-"), value)
            deadline = time.monotonic() + 10
            while True:
                try:
                    text = urllib.request.urlopen(request, timeout=5).read().decode()
                    return dict(line.split("=", 1) for line in text.splitlines())
                except urllib.error.URLError:
                    assert time.monotonic() < deadline
                    time.sleep(0.1)

        seen = headers(
            X__Forwarded__For="198.51.100.7, 203.0.113.9",
            X__Forwarded__Proto="https",
            Visitoraddress="192.0.2.1",
            Visitorscheme="http",
        )
        assert (seen["visitoraddress"], seen["visitorscheme"]) == ("203.0.113.9", "https")
        assert "x-forwarded-for" not in seen
        assert headers()["visitorscheme"] == "http"
