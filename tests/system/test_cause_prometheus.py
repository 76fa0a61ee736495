#!/usr/bin/env python3
"""pawl cause on the range queries of something that answers as a Prometheus: which node, and whose credential goes out."""
import http.server
import json
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

NODES = ("web", "cart", "db")
given = []  # credentials that came


class Prometheus(http.server.BaseHTTPRequestHandler):
    """Six hours of normal series, then what calls the cart is slow, and so is the cart."""

    def do_GET(self):
        given.append(self.headers.get("Authorization"))
        url = urllib.parse.urlparse(self.path)
        asked = urllib.parse.parse_qs(url.query)
        start, end, step = (int(asked[k][0]) for k in ("start", "end", "step"))
        if url.path != "/api/v1/query_range" or asked["query"][0] == "broken":
            return self.answer(400, {"status": "error", "error": "no"})

        def value(node, at):
            if asked["query"][0] == "requests":
                return 100
            slow = at >= start + 6 * 3600 and node != "db"
            return 0.5 if slow else 0.05 + at // 60 % 3 * 0.001
        result = [{"metric": {"service": n}, "values": [[t, str(value(n, t))] for t in range(start, end + 1, step)]} for n in NODES]
        result.append({"metric": {}, "values": [[start, "1"]]})
        self.answer(200, {"status": "success", "data": {"resultType": "matrix", "result": result}})

    def answer(self, status, body):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


def main(pawl):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Prometheus)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "graph.json").write_text(json.dumps({
            "nodes": [{"id": n, "type": "service"} for n in NODES],
            "edges": [{"from": "web", "to": "cart", "kind": "calls"}, {"from": "cart", "to": "db", "kind": "calls"}]}))

        def cause(queries, *more):
            (folder / "queries.yaml").write_text(queries)
            return subprocess.run([pawl, "cause", "web", "--prometheus", f"http://127.0.0.1:{server.server_port}", "--queries",
                                   folder / "queries.yaml", "--graph", folder / "graph.json", "--at", str(int(time.time()) - 700),
                                   *more], capture_output=True, text=True, env={"PAWL_TOKEN": "ours", "HOME": str(folder)})
        done = cause("latency_avg_seconds: latency\nrequests: requests\n", "--json")
        report = json.loads(done.stdout)
        assert done.returncode == 0 and report["found"] and report["causes"][0]["node"] == "cart", done
        assert set(given) == {None}, given
        (folder / "token").write_text("theirs\n")
        (folder / "token").chmod(0o600)
        given.clear()
        assert cause("requests: requests\n", "--prometheus-token-file", folder / "token").returncode == 0
        assert set(given) == {"Bearer theirs"}, given
        for queries, says in [("requests: broken\n", "query requests"), ("requests: [1]\n", "expected PromQL"),
                              ("[]\n", "expected 1 to 32 lines"), ("".join(f"m{i}: x\n" for i in range(33)), "expected 1 to 32 lines")]:
            done = cause(queries)
            assert done.returncode != 0 and says in done.stderr, (queries, done)
    server.shutdown()
    print("cause from Prometheus: ok")


if __name__ == "__main__":
    main(sys.argv[1])
