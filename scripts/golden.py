"""Starts nodes and replays the recordings: the proxy once for each router flavor, profile and group of
recordings; the Admin API against a node with a database and one without.

A case that differs fails the run unless docs/compatibility.md lists it in its block of known differences.
"""

import argparse
import collections
import contextlib
import fnmatch
import http.client
import json
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
START_SECONDS = 20
# The ports of the upstreams that the replayer starts; picks by hash depend on them.
ECHO_BASE = 22100

PROFILES = {
    "default": {},
    "trusted": {"trusted_ips": "0.0.0.0/0,::/0"},
    "xff": {
        "trusted_ips": "127.0.0.0/8,10.0.0.0/8",
        "real_ip_header": "X-Forwarded-For",
        "real_ip_recursive": "on",
    },
    "headers": {
        "headers": "X-Kong-Upstream-Status,X-Kong-Upstream-Latency,Via",
        "headers_upstream": "off",
    },
    "nohdr": {"headers": "off"},
    "small": {
        "nginx_http_client_max_body_size": "1k",
        "error_default_type": "application/json",
        "nginx_http_client_header_timeout": "2s",
    },
    "trace": {"tracing_instrumentations": "request", "tracing_sampling_rate": "1"},
}
FLAVORS = ["traditional_compatible", "traditional", "expressions"]

# File, groups. A group gets a fresh node: limits and connection pools outlive a configuration.
GROUPS = [
    ("proxy-routing.jsonl", ["routing", "routing-expressions"]),
    ("proxy-paths.jsonl", ["paths", "headers", "forwarded", "errors", "protocol", "upstream-host"]),
    ("proxy-balancer.jsonl", [
            "balancer-round-robin",
            "balancer-retries",
            "balancer-hash",
            "balancer-least",
            "balancer-health",
        ]),
    ("proxy-plugins-auth.jsonl", ["plugin-key-auth", "plugin-basic-auth", "plugin-acl", "plugin-hmac-auth", "plugin-jwt",
        "plugin-multi-auth", "plugin-oauth2", "plugin-session"]),
    ("proxy-plugins-log.jsonl", ["plugin-file-log", "plugin-http-log", "plugin-prometheus", "plugin-zipkin",
        "plugin-opentelemetry"]),
    ("proxy-plugins-function.jsonl", ["plugin-pre-function", "plugin-post-function"]),
    ("proxy-plugins-order.jsonl", ["plugin-order", "plugin-scope", "plugin-disabled"]),
    (
        "proxy-plugins-traffic.jsonl",
        [
            "plugin-grpc-web",
            "plugin-rate-limiting",
            "plugin-request-termination",
            "plugin-correlation-id",
            "plugin-request-transformer",
            "plugin-response-transformer",
            "plugin-cors",
            "plugin-ip-restriction",
            "plugin-bot-detection",
            "plugin-request-size-limiting",
            "plugin-redirect",
            "plugin-response-ratelimiting",
            "plugin-proxy-cache",
            "plugin-standard-webhooks",
        ],
    ),
]

# Database, files of the Admin API. The files of a node follow one another; each scenario empties it.
ADMIN = [
    (
        "sqlite",
        [
            "admin.jsonl",
            "admin-bodies.jsonl",
            "admin-plugins.jsonl",
            "admin-schemas.jsonl",
            "admin-info.jsonl",
        ],
    ),
    ("off", ["dbless-config.jsonl", "declarative-import.jsonl"]),
]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Node:
    """A node with everything on loopback."""

    def __init__(self, binary, flavor, profile, database="off"):
        self.home = tempfile.mkdtemp(prefix="gatehouse-golden-")
        self.admin, self.plain, self.tls = free_port(), free_port(), free_port()
        settings = {
            "prefix": self.home,
            "database": database,
            "role": "traditional",
            "router_flavor": flavor,
            "allow_debug_header": "on",
            "nginx_worker_processes": "1",
            "proxy_listen": f"127.0.0.1:{self.plain}, 127.0.0.1:{self.tls} ssl",
            "admin_listen": f"127.0.0.1:{self.admin}",
            "status_listen": "off",
            **PROFILES[profile],
        }
        conf = pathlib.Path(self.home, "kong.conf")
        conf.write_text("".join(f"{name} = {value}\n" for name, value in settings.items()))
        self.log = open(pathlib.Path(self.home, "node.log"), "w+")
        self.process = subprocess.Popen(
            [binary, "node", "--conf", str(conf)], stdout=self.log, stderr=self.log
        )

    def wait(self):
        """Waits until the Admin API answers."""
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and self.process.poll() is None:
            with contextlib.suppress(OSError):
                connection = http.client.HTTPConnection("127.0.0.1", self.admin, timeout=2)
                connection.request("GET", "/")
                connection.getresponse().read()
                connection.close()
                return
            time.sleep(0.05)
        raise SystemExit("golden: the node did not start:\n" + self.output())

    def output(self):
        self.log.flush()
        self.log.seek(0)
        return self.log.read()[-4000:]

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
        shutil.rmtree(self.home, ignore_errors=True)


def known_differences():
    """Patterns of case ids, each with the steps that differ, from the blocks ```golden of docs/compatibility.md."""
    text = (ROOT / "docs/compatibility.md").read_text()
    blocks = re.findall(r"```golden\n(.*?)```", text, re.S)
    lines = [line for block in blocks for line in block.splitlines()]
    rows = [line.split() for line in lines if line.strip() and not line.startswith("#")]
    return [(pattern, set(steps)) for pattern, *steps in rows]


def is_known(known, case, differences):
    """The pattern that lists every difference of the case; `all` stands for any of them. Differences of the
    proxy are told apart by their step, those of the Admin API by the member of the answer."""
    steps = {step_of(line) for line in differences}
    for pattern, listed in known:
        if fnmatch.fnmatchcase(case, pattern) and all(is_listed(step, listed) for step in steps):
            return pattern
    return None


def is_listed(step, listed):
    return "all" in listed or any(fnmatch.fnmatchcase(step, pattern) for pattern in listed)


def is_words(line):
    """Whether only a text for people differs: the descriptions in schemas are in our own words."""
    return line.startswith("member ") and step_of(line).endswith("/description")


def share(counts):
    """How many of a hundred answers differ in more than the words of descriptions."""
    answers = counts["agree"] + counts["known"] + counts["differ"]
    differing = answers - counts["agree"] - counts["by words"]
    return f" {differing} of {answers} differ, {100 * differing / max(answers, 1):.1f} in 100"


def step_of(line):
    if line.startswith("member "):
        return line.split()[1]
    return (re.match(r"step (\d+) ", line) or ["", "load"])[1]


def replay_admin(options, node, product, file):
    """Case ids with None, or with what differed."""
    command = [
        sys.executable, str(pathlib.Path(options.recordings, "replay.py")),
        "--base", f"http://127.0.0.1:{node.admin}", "--product", product,
        "--skip-defects", "--verbose", "--max-diffs", "100000",
        str(pathlib.Path(options.recordings, file)),
    ]
    output = subprocess.run(command, stdout=subprocess.PIPE, text=True).stdout
    found, current = {}, None
    for line in output.splitlines():
        kind, _, case = line.partition(" ")
        case = case.strip().split("  (")[0]
        if kind == "ok":
            current, found[case] = None, None
        elif kind == "FAIL":
            current = found.setdefault(case, [])
        elif line.startswith("       ") and current:
            current[-1] += " " + " ".join(line.split())[:200]
        elif line.startswith("     ") and current is not None:
            # A header's name is part of what differs.
            current.append("member " + line.strip().replace(" ", ":"))
    if options.only:
        found = {case: what for case, what in found.items() if options.only in case}
    return found


def replay(options, node, product, job):
    file, group, flavor, profile = job
    command = [
        sys.executable, str(pathlib.Path(options.recordings, "replay_proxy.py")),
        "--admin", f"http://127.0.0.1:{node.admin}",
        "--proxy", f"127.0.0.1:{node.plain}", "--proxy-tls", f"127.0.0.1:{node.tls}",
        "--flavor", flavor, "--node", profile, "--group", group, "--product", product,
        "--echo-base", str(ECHO_BASE), "--diffs", "100000", "--list-passed",
    ]
    if options.only:
        command += ["--id", options.only]
    command.append(str(pathlib.Path(options.recordings, file)))
    return subprocess.run(command, stdout=subprocess.PIPE, text=True).stdout


def verdicts(output):
    """Case ids with None, or with what differed."""
    found, current = {}, None
    for line in output.splitlines():
        kind, _, case = line.partition(" ")
        if kind == "FAILED":
            current = found.setdefault(case.strip(), [])
        elif kind == "passed":
            current, found[case.strip()] = None, None
        elif line.startswith("   ") and current is not None:
            current.append(line.strip())
        else:
            current = None
    return found


def admin_runs(options, product, known, totals, unexpected, met):
    """Replays the recordings of the Admin API."""
    for database, files in ADMIN:
        files = [file for file in files if options.group in (None, file.removesuffix(".jsonl"))]
        if not files:
            continue
        node = Node(options.binary, "traditional_compatible", "default", database)
        try:
            node.wait()
            for file in files:
                found = replay_admin(options, node, product, file)
                counts = judge(options, file, found, known, unexpected, met)
                totals.update(counts)
                print(f"{file} database={database}: {dict(counts)}{share(counts)}", flush=True)
        finally:
            node.stop()


def runs(options):
    """The runs that have cases: file, group, flavor, profile."""
    for file, groups in GROUPS:
        with open(pathlib.Path(options.recordings, file)) as lines:
            cases = [json.loads(line) for line in lines]
        present = {(case["group"], case["flavor"], case.get("node", "default")) for case in cases}
        for group in groups:
            for flavor in FLAVORS:
                for profile in PROFILES:
                    if (group, flavor, profile) in present:
                        yield file, group, flavor, profile


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recordings", required=True)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--only", help="only cases whose id contains this text")
    parser.add_argument("--part", choices=["proxy", "admin"], help="only this part")
    parser.add_argument("--group", help="only this group, or file of the Admin API without its ending")
    parser.add_argument("--flavor", choices=FLAVORS)
    parser.add_argument("--profile", choices=sorted(PROFILES))
    parser.add_argument("--diffs", type=int, default=3)
    parser.add_argument("--verbose", action="store_true", help="print known differences too")
    options = parser.parse_args()

    # The name that the node gives itself in Via and Server: `gatehouse/0.1.0`.
    version = subprocess.check_output([options.binary, "--version"], text=True)
    product = "/".join(version.split()[:2])
    known = known_differences()
    totals, admin, unexpected, met = collections.Counter(), collections.Counter(), [], set()
    if options.part != "proxy" and not options.profile and not options.flavor:
        admin_runs(options, product, known, admin, unexpected, met)
        totals.update(admin)
    for job in runs(options) if options.part != "admin" else ():
        _, group, flavor, profile = job
        if (
            options.group not in (None, group)
            or options.flavor not in (None, flavor)
            or options.profile not in (None, profile)
        ):
            continue
        node = Node(options.binary, flavor, profile)
        try:
            node.wait()
            output = replay(options, node, product, job)
        finally:
            node.stop()
        counts = judge(options, f"{group} {flavor} {profile}", verdicts(output), known, unexpected, met)
        totals.update(counts)
        print(f"{group} {flavor} {profile}: {dict(counts)}", flush=True)
    for pattern, _ in known:
        if pattern not in met and not (options.only or options.group or options.profile or options.part):
            print(f"golden: `{pattern}` is listed as a difference, but agrees")
    if options.part != "proxy":
        print(f"golden: Admin API, declarative files and schemas:{share(admin)}")
    print(f"golden: {totals['agree']} agree, {totals['known']} differ as listed, {len(unexpected)} differ")
    return 1 if unexpected or not totals else 0


def judge(options, what, found, known, unexpected, met):
    counts = collections.Counter()
    if not found and not options.only:
        # The replayer ended without a verdict; what it said stands above.
        print(f"DIFFERS {what}: nothing was replayed")
        counts["differ"] += 1
        unexpected.append(what)
    for case, differences in found.items():
        if differences is None:
            counts["agree"] += 1
            continue
        pattern = is_known(known, case, differences)
        counts["known" if pattern else "differ"] += 1
        counts["by words"] += bool(pattern) and all(is_words(line) for line in differences)
        (met.add if pattern else unexpected.append)(pattern or case)
        if not pattern or options.verbose:
            print(f"{'known' if pattern else 'DIFFERS'} {case}")
            for line in differences[: options.diffs]:
                print(f"   {line}")
    return counts


if __name__ == "__main__":
    sys.exit(main())
