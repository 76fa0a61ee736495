"""One service of the demo's chain: answers after its own work and after the next service's answer, and exports its spans as
OpenTelemetry does (OTLP over HTTP, JSON).

Its work takes 2 ms while the file named by CONFIG says "cache: on", and 40 ms when it says "cache: off".

Usage: chain.py NAME PORT NEXT_PORT CONFIG PAWL_URL TOKEN_FILE        (NEXT_PORT 0: it is the last)
"""
import http.client
import http.server
import json
import os
import pathlib
import sys
import threading
import time
import urllib.parse

NAME, PORT, NEXT, CONFIG = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), pathlib.Path(sys.argv[4])
PAWL, TOKEN = urllib.parse.urlsplit(sys.argv[5]), pathlib.Path(sys.argv[6]).read_text().strip()
SERVER, CLIENT = 2, 3
spans, lock = [], threading.Lock()


def span(trace, parent, name, kind):
    return {"traceId": trace, "spanId": os.urandom(8).hex(), "parentSpanId": parent, "name": name, "kind": kind,
            "startTimeUnixNano": str(time.time_ns())}


def end(s):
    s["endTimeUnixNano"] = str(time.time_ns())
    with lock:
        spans.append(s)


def work():
    time.sleep(0.040 if "cache: off" in CONFIG.read_text() else 0.002)


def call_next(trace, parent):
    s = span(trace, parent, "GET /", CLIENT)
    connection = http.client.HTTPConnection("127.0.0.1", NEXT, timeout=5)
    try:
        connection.request("GET", "/", headers={"traceparent": f"00-{trace}-{s['spanId']}-01"})
        connection.getresponse().read()
    except OSError:
        s["status"] = {"code": 2}
    finally:
        connection.close()
        end(s)


class Service(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        given = self.headers.get("traceparent", "").split("-")
        trace, parent = (given[1], given[2]) if len(given) == 4 else (os.urandom(16).hex(), "")
        s = span(trace, parent, "GET /", SERVER)
        work()
        if NEXT:
            call_next(trace, s["spanId"])
        end(s)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


def export():
    while True:
        time.sleep(0.3)
        with lock:
            batch, spans[:] = spans[:], []
        body = {"resourceSpans": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": NAME}}]},
                                   "scopeSpans": [{"spans": batch}]}]}
        connection = http.client.HTTPConnection(PAWL.hostname, PAWL.port, timeout=5)
        try:
            if batch:
                connection.request("POST", "/v1/traces", json.dumps(body),
                                   {"Content-Type": "application/json", "Authorization": "Bearer " + TOKEN})
                connection.getresponse().read()
        except OSError:
            pass
        finally:
            connection.close()


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True


threading.Thread(target=export, daemon=True).start()
Server(("127.0.0.1", PORT), Service).serve_forever()
