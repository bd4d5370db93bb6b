#!/usr/bin/env python3
"""Measures what routes cost: CPU per request with one route and with very many (every URL new), the time from
start to ready and the memory with them, and how answers come while ten changes a second arrive.

    python3 scripts/bench_routes.py --binary target/release/gatehouse [routes] [changes] [--seconds 8] [--rounds 5]

The node has core 0, load (wrk) and backend (nginx) core 1. Needs wrk, nginx, taskset.
"""

import argparse
import http.client
import json
import os
import pathlib
import re
import signal
import statistics
import subprocess
import tempfile
import threading
import time

PROXY, STATUS, ADMIN, ORIGIN = 38000, 38007, 38001, 38080
TICKS = os.sysconf("SC_CLK_TCK")


def wait_for(port, path, patience=60):
    end = time.monotonic() + patience
    while time.monotonic() < end:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", path)
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        time.sleep(0.01)
    raise SystemExit(f"nothing answers on port {port}")


def origin(folder):
    conf = folder / "nginx.conf"
    conf.write_text(
        f"daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;\n"
        "events { worker_connections 4096; }\n"
        f"http {{ access_log off; keepalive_requests 1000000000; server {{ listen 127.0.0.1:{ORIGIN};\n"
        '  location / { return 200 "' + "x" * 100 + '"; } } }\n'
    )
    process = subprocess.Popen(["taskset", "-c", "1", "nginx", "-c", str(conf), "-e", f"{folder}/error.log"])
    wait_for(ORIGIN, "/")
    return process


class Node:
    def __init__(self, binary, folder, settings):
        environment = {
            "PATH": os.environ["PATH"],
            "KONG_PREFIX": str(folder),
            "KONG_PROXY_LISTEN": f"127.0.0.1:{PROXY}",
            "KONG_STATUS_LISTEN": f"127.0.0.1:{STATUS}",
            "KONG_ADMIN_LISTEN": f"127.0.0.1:{ADMIN}",
            "KONG_PROXY_ACCESS_LOG": "off",
            "KONG_LOG_LEVEL": "warn",
            **settings,
        }
        begin = time.monotonic()
        self.process = subprocess.Popen(["taskset", "-c", "0", binary, "node"], env=environment)
        wait_for(STATUS, "/status")
        self.started = time.monotonic() - begin

    def cpu(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory(self):
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", text)[1]) / 1000

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


def wrk(seconds, script, connections=64):
    command = ["taskset", "-c", "1", "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency"]
    command += ["-s", str(script), f"http://127.0.0.1:{PROXY}"]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in out:
        raise SystemExit(f"wrong answers:\n{out}")
    value, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", out).groups()
    micros = float(value) * {"us": 1, "ms": 1000, "s": 1000000}[unit]
    return int(re.search(r"(\d+) requests in", out)[1]), micros


def routes_script(folder, count):
    script = folder / "routes.lua"
    # The step has no common divisor with the number of routes.
    script.write_text(
        "n = 0\nrequest = function() n = n + 7919; "
        f"return wrk.format('GET', '/route' .. n % {count} .. '/small/' .. n) end\n"
    )
    return script


def declarative(folder, count):
    path = folder / "kong.json"
    routes = [{"name": f"r{n}", "paths": [f"/route{n}/"]} for n in range(count)]
    service = {"name": "s", "url": f"http://127.0.0.1:{ORIGIN}", "routes": routes}
    path.write_text(json.dumps({"_format_version": "3.0", "services": [service]}))
    return {"KONG_DATABASE": "off", "KONG_DECLARATIVE_CONFIG": str(path)}


def measure_routes(binary, folder, arguments):
    """Rounds in turn, so that what the machine does otherwise meets both."""
    counts = [1, arguments.many]
    costs = {count: [] for count in counts}
    for _ in range(arguments.rounds):
        for count in counts:
            place = pathlib.Path(tempfile.mkdtemp(dir=folder))
            node = Node(binary, place, declarative(place, count))
            wait_for(STATUS, "/status/ready")
            script = routes_script(place, count)
            wrk(1, script)
            before = node.cpu()
            requests, _ = wrk(arguments.seconds, script)
            cost = (node.cpu() - before) / requests * 1e6
            costs[count].append(cost)
            print(f"  {count} routes: {cost:.2f} us of CPU a request, ready after {node.started:.2f} s", flush=True)
            node.end()
    one, many = (statistics.median(costs[count]) for count in counts)
    print(f"CPU a request: {one:.2f} us with 1 route, {many:.2f} us with {counts[1]}: {many / one:.3f} x (at most 1.10)")


def measure_memory(binary, folder):
    for count in [0, 50_000]:
        place = pathlib.Path(tempfile.mkdtemp(dir=folder))
        node = Node(binary, place, declarative(place, count))
        time.sleep(6)
        limit = 100 if count else 40
        print(f"memory with {count} routes: {node.memory():.1f} MB (at most {limit})", flush=True)
        node.end()


def admin(method, path, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", ADMIN, timeout=60)
    text = None if body is None else json.dumps(body)
    connection.request(method, path, text, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    text = answer.read()
    if answer.status >= 300:
        raise SystemExit(f"{method} {path}: {answer.status} {text[:300]}")
    return json.loads(text) if text else None


def measure_changes(binary, folder, arguments):
    place = pathlib.Path(tempfile.mkdtemp(dir=folder))
    node = Node(binary, place, {"KONG_DATABASE": "sqlite"})
    wait_for(ADMIN, "/status")
    service = admin("POST", "/services", {"name": "s", "url": f"http://127.0.0.1:{ORIGIN}"})
    count = 10_000
    for number in range(count):
        route = {"name": f"r{number}", "paths": [f"/route{number}/"], "service": {"id": service["id"]}}
        admin("POST", "/routes", route)
    time.sleep(5)
    script = routes_script(place, count)
    wrk(1, script)
    ended = threading.Event()

    def change():
        number = 0
        while not ended.wait(0.1):
            number += 1
            admin("PATCH", f"/routes/r{number * 37 % count}", {"tags": [f"t{number}"]})

    quiet, busy = [], []
    for _ in range(arguments.rounds):
        quiet.append(wrk(arguments.seconds, script)[1])
        ended.clear()
        changer = threading.Thread(target=change)
        changer.start()
        busy.append(wrk(arguments.seconds, script)[1])
        ended.set()
        changer.join()
        print(f"  p99: {quiet[-1]:.0f} us quiet, {busy[-1]:.0f} us with ten changes a second", flush=True)
    ratio = statistics.median(busy) / statistics.median(quiet)
    print(f"p99 with ten changes a second at {count} routes: {ratio:.2f} x quiet (at most 1.2)")
    node.end()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", default=["routes", "memory", "changes"])
    parser.add_argument("--binary", required=True)
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--many", type=int, default=100_000)
    arguments = parser.parse_args()
    binary = str(pathlib.Path(arguments.binary).resolve())
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        backend = origin(folder)
        try:
            if "routes" in arguments.what:
                measure_routes(binary, folder, arguments)
            if "memory" in arguments.what:
                measure_memory(binary, folder)
            if "changes" in arguments.what:
                measure_changes(binary, folder, arguments)
        finally:
            backend.send_signal(signal.SIGTERM)
            backend.wait()


if __name__ == "__main__":
    main()
