#!/usr/bin/env python3
"""What pawl graph import makes of manifests, compose files and metrics, in the graph of a running server."""
import http.server
import json
import sys
import threading

import pawl_server

POLICY = """
policy:
  services: [{name: web, traffic_pct: 60}, {name: cart, traffic_pct: 10}]
"""

MANIFESTS = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {team: storefront}}
spec:
  replicas: 3
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - image: registry.example/shop/web@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
          env: [{name: CART_ADDR, value: "cart.default.svc.cluster.local:8080"}]
          envFrom: [{secretRef: {name: web-keys}}]
---
apiVersion: v1
kind: Secret
metadata: {name: web-keys}
stringData: {KEY: hunter2-never-shown}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: cart}
spec:
  template:
    metadata: {labels: {app: cart}}
    spec: {containers: [{image: shop/cart, envFrom: [{configMapRef: {name: cart-config}}]}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: cart-config}
data: {DATABASE_URL: "postgres://cart@orders-db.data:5432/orders"}
---
apiVersion: v1
kind: Service
metadata: {name: cart}
spec: {selector: {app: cart}}
---
apiVersion: v1
kind: Service
metadata: {name: orders-db, namespace: data}
spec: {selector: {app: orders}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: orders, namespace: data}
spec: {template: {metadata: {labels: {app: orders}}, spec: {containers: [{image: "postgres:16"}]}}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: public}
spec: {defaultBackend: {service: {name: cart}}}
"""

COMPOSE = """
services:
  mailer: {image: shop/mailer, depends_on: [bus], environment: ["CART_URL=http://cart"]}
  bus: {image: "rabbitmq:3"}
  cart: {build: .}
"""

METRICS = """
traces_service_graph_request_total{client="user",server="web",connection_type="virtual_node"} 200
traces_service_graph_request_total{client="web",server="cart",connection_type=""} 50
"""


def edges(s, node):
    status, v = s.call("GET", "/v1/graph?node=" + node)
    assert status == 200, (node, v)
    return {(x["from"], x["kind"], x["to"]): x for x in v["edges"]}


def imports(s, kind, text, *words, token="source"):
    done = s.command("graph", "import", kind, *words, "-", stdin=text, token=token)
    assert done.returncode == 0, done.stderr
    return done.stdout


def manifests(s):
    printed = imports(s, "kubernetes", MANIFESTS, "--print", token=None)
    writings = [json.loads(line) for line in printed.splitlines()]
    assert len(writings) == 1 and writings[0]["source"] == "kubernetes", writings
    assert "hunter2" not in printed
    file = s.folder / "cluster.yaml"
    file.write_text(MANIFESTS)
    done = s.command("graph", "import", "kubernetes", str(file), token="source")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{len(writings[0]['nodes'])} nodes and {len(writings[0]['edges'])} edges written\n", done.stdout
    web = edges(s, "web")
    assert ("service:web", "calls", "service:cart") in web and ("team:storefront", "owns", "service:web") in web, web
    assert ("config:secret/web-keys", "configures", "service:web") in web, web
    artifact = [x for x in web if x[1] == "deploys"]
    # An artifact's digest is no secret and stays what it is.
    assert artifact and artifact[0][0].endswith("15d6c15b0f00a08"), artifact
    assert ("service:cart", "calls", "datastore:data/orders") in edges(s, "datastore:data/orders")
    assert ("gateway:public", "calls", "service:cart") in edges(s, "gateway:public")
    node = s.call("GET", "/v1/graph?node=web")[1]
    assert node["attributes"]["replicas"] == 3 and node["attributes"]["namespace"] == "default", node
    # Harm travels, also where a policy knows no tools: a change hurts web.
    shown = s.command("impact", "cart")
    assert shown.returncode == 0 and "web" in shown.stdout, shown


def compose(s):
    imports(s, "compose", COMPOSE, "--source", "laptop")
    found = edges(s, "mailer")
    assert found[("service:mailer", "depends_on", "queue:bus")]["source"] == "laptop", found
    assert ("service:mailer", "calls", "service:cart") in found, found


def metrics(s):
    imports(s, "prometheus", METRICS)
    x = edges(s, "web")[("service:web", "calls", "service:cart")]
    assert x["effect_pct"] == 25 and x["source"] == "prometheus", x


class Prometheus(http.server.BaseHTTPRequestHandler):
    asked = []

    def do_GET(self):
        Prometheus.asked.append((self.path, dict(self.headers)))
        body = json.dumps({"status": "success", "data": {"resultType": "vector", "result": [
            {"metric": {"client": "cart", "server": "prices", "connection_type": "database"}, "value": [1, "7"]}]}}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def asks_a_prometheus(s):
    server = http.server.HTTPServer(("127.0.0.1", 0), Prometheus)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    done = s.command("graph", "import", "prometheus", f"http://127.0.0.1:{server.server_port}/", token="source")
    server.shutdown()
    server.server_close()
    assert done.returncode == 0, done.stderr
    path, headers = Prometheus.asked[0]
    assert path == "/api/v1/query?query=traces_service_graph_request_total", path
    assert "Authorization" not in headers, headers
    assert ("service:cart", "calls", "datastore:prices") in edges(s, "datastore:prices")
    gone = s.command("graph", "import", "prometheus", f"http://127.0.0.1:{server.server_port}", token="source")
    assert gone.returncode == 1, gone


def many(s):
    text = "services:\n" + "".join(f"  s{i}: {{depends_on: [s{i // 2}]}}\n" for i in range(6000))
    assert imports(s, "compose", text) == "6000 nodes and 5999 edges written\n"
    assert ("service:s5999", "depends_on", "service:s2999") in edges(s, "s5999")


def refuses(s):
    for words, stdin, says in [
            (("kubernetes", "-"), "a: 1\n", "stdin#1:1:1: expected an object of Kubernetes: it has no kind"),
            (("compose", "-"), "services: &s {a: *s}", "stdin#1:1:18: an alias inside what it stands for"),
            (("kubernetes", "-"), "", "there is nothing in it that the graph has a word for"),
            (("kubernetes", "/nowhere.yaml"), "", "/nowhere.yaml"),
            (("compose", "--source", "", "-"), "services: {a: {}}", "/source: expected 1 to 63 bytes: who says so")]:
        done = s.command("graph", "import", *words, stdin=stdin, token="source")
        assert done.returncode == 1 and says in done.stderr, (words, done)
    assert s.command("graph", "import", "kubernetes", token="source").returncode == 2
    large = s.folder / "large.yaml"
    with open(large, "wb") as file:
        file.truncate((64 << 20) + 1)
    done = s.command("graph", "import", "compose", str(large), token="source")
    assert done.returncode == 1 and "large.yaml" in done.stderr, done
    done = s.command("graph", "import", "prometheus", "http://127.0.0.1/" + "x" * 4096, token="source")
    assert done.returncode == 1 and "the address is longer than 4096 bytes" in done.stderr, done
    # A source that may not write these services is refused by the server.
    s.token("small", roles=["source"], person="small", services="web")
    done = s.command("graph", "import", "compose", "-", stdin="services: {other: {}}", token="small")
    assert done.returncode == 1 and "may not write other" in done.stderr, done


def main(pawl):
    with pawl_server.Server(pawl, POLICY) as s:
        s.token("source", roles=["source"], person="ci", services="*")
        manifests(s)
        compose(s)
        metrics(s)
        asks_a_prometheus(s)
        many(s)
        refuses(s)
    print("import: ok")


if __name__ == "__main__":
    main(sys.argv[1])
