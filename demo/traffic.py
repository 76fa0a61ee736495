"""The users of the demo's shop: a steady stream of requests. Usage: traffic.py PORT PER_SECOND SECONDS"""
import http.client
import sys
import time

port, per_second, seconds = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
end = time.monotonic() + seconds
due = time.monotonic()
while due < end:
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        connection.request("GET", "/")
        connection.getresponse().read()
        connection.close()
    except OSError:
        pass
    due += 1 / per_second
    time.sleep(max(0, due - time.monotonic()))
