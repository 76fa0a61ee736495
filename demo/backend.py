"""One backend of the demo. Answers 200, or 503 while the file named by its third argument exists.

Usage: backend.py NAME PORT FAIL_FILE
"""
import http.server
import os
import sys

NAME, PORT, FAIL = sys.argv[1], int(sys.argv[2]), sys.argv[3]


class Backend(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = f"{NAME}\n".encode()
        self.send_response(503 if os.path.exists(FAIL) else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True


Server(("127.0.0.1", PORT), Backend).serve_forever()
