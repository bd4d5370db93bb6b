"""Ambiguous requests, sent to a node, to nginx and to HAProxy before the same service: who refuses, and what goes on to it.

Arguments: none. The service's port is the first line of the output; then a line comes in with the address of the node. Fails
when a request that the service must not see reaches it, or when the differences are not those that docs/request-smuggling.md
explains, row by row.
"""

import pathlib
import shutil
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
import time

BODY = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"


def request(*lines, body=b"", method="POST", target="/", version="HTTP/1.1", host="Host: a"):
    head = [f"{method} {target} {version}".encode()]
    if host is not None:
        head.append(host.encode())
    head += [line if isinstance(line, bytes) else line.encode() for line in lines]
    return b"\r\n".join(head) + b"\r\n\r\n" + body


CHUNKS = b"5\r\nhello\r\n0\r\n\r\n"
TE, CL = "Transfer-Encoding: chunked", "Content-Length: {}".format

# Name and bytes. Behind each of them a second request is sent: `/next`.
CASES = {
    "plain GET": request(method="GET"),
    "POST with length": request(CL(5), body=b"hello"),
    "POST in chunks": request(TE, body=CHUNKS),
    # length and chunks
    "CL.TE": request(CL(len(CHUNKS)), TE, body=CHUNKS),
    "CL.TE with a request behind": request(CL(5 + len(BODY)), TE, body=b"0\r\n\r\n" + BODY),
    "TE.CL": request(TE, CL(4), body=b"5c\r\n" + BODY + b"\r\n0\r\n\r\n"),
    "CL 0 and TE": request(CL(0), TE, body=CHUNKS),
    # lengths
    "two equal lengths": request(CL(5), CL(5), body=b"hello"),
    "two lengths": request(CL(5), CL(0), body=b"hello"),
    "a list of equal lengths": request("Content-Length: 5, 5", body=b"hello"),
    "a list of lengths": request("Content-Length: 5, 0", body=b"hello"),
    "+5": request("Content-Length: +5", body=b"hello"),
    "-5": request("Content-Length: -5", body=b"hello"),
    "0x5": request("Content-Length: 0x5", body=b"hello"),
    "5e0": request("Content-Length: 5e0", body=b"hello"),
    "5 with blanks": request("Content-Length:  5 ", body=b"hello"),
    "05": request("Content-Length: 05", body=b"hello"),
    "5 5": request("Content-Length: 5 5", body=b"hello"),
    "length without digits": request("Content-Length:", body=b""),
    "length of 2^64": request("Content-Length: 18446744073709551616", body=b"hello"),
    "length of 2^64+5": request("Content-Length: 18446744073709551621", body=b"hello"),
    "length in other digits": request("Content-Length: ５", body=b"hello"),
    "length with VT": request(b"Content-Length: \x0b5", body=b"hello"),
    # codings
    "TE xchunked": request("Transfer-Encoding: xchunked", body=CHUNKS),
    "TE identity": request("Transfer-Encoding: identity", CL(5), body=b"hello"),
    "TE chunked, identity": request("Transfer-Encoding: chunked, identity", body=CHUNKS),
    "TE identity, chunked": request("Transfer-Encoding: identity, chunked", body=CHUNKS),
    "TE gzip, chunked": request("Transfer-Encoding: gzip, chunked", body=CHUNKS),
    "TE chunked, chunked": request("Transfer-Encoding: chunked, chunked", body=CHUNKS),
    "TE twice": request(TE, TE, body=CHUNKS),
    "TE twice, other": request(TE, "Transfer-Encoding: x", body=CHUNKS),
    "TE in capitals": request("Transfer-Encoding: CHUNKED", body=CHUNKS),
    "TE with a tab": request("Transfer-Encoding:\tchunked", body=CHUNKS),
    "TE with VT": request(b"Transfer-Encoding: \x0bchunked", body=CHUNKS),
    "TE with a blank before the colon": request("Transfer-Encoding : chunked", CL(5), body=b"hello"),
    "TE folded": request("Transfer-Encoding:\r\n chunked", CL(5), body=b"hello"),
    "TE with a parameter": request("Transfer-Encoding: chunked;q=1", body=CHUNKS),
    "TE quoted": request('Transfer-Encoding: "chunked"', body=CHUNKS),
    "TE without text": request("Transfer-Encoding:", CL(5), body=b"hello"),
    "TE behind a bare LF": request("X: y\nTransfer-Encoding: chunked", CL(5), body=b"hello"),
    "TE behind a bare CR": request("X: y\rTransfer-Encoding: chunked", CL(5), body=b"hello"),
    "TE with an underscore": request("Transfer_Encoding: chunked", CL(5), body=b"hello"),
    "TE with NUL": request(b"Transfer-Encoding: chunked\0", CL(5), body=b"hello"),
    "TE behind a blank": request(" Transfer-Encoding: chunked", CL(5), body=b"hello"),
    "TE in HTTP/1.0": request(TE, body=CHUNKS, version="HTTP/1.0"),
    # chunks
    "chunk with an extension": request(TE, body=b"5;a=b\r\nhello\r\n0\r\n\r\n"),
    "chunk with LF in its extension": request(TE, body=b"5;a\nhello\r\n0\r\n\r\n"),
    "chunk size with LF": request(TE, body=b"5\nhello\r\n0\r\n\r\n"),
    "chunk data with LF": request(TE, body=b"5\r\nhello\n0\r\n\r\n"),
    "chunk size 0x5": request(TE, body=b"0x5\r\nhello\r\n0\r\n\r\n"),
    "chunk size +5": request(TE, body=b"+5\r\nhello\r\n0\r\n\r\n"),
    "chunk size with a blank before": request(TE, body=b" 5\r\nhello\r\n0\r\n\r\n"),
    "chunk size with a blank behind": request(TE, body=b"5 \r\nhello\r\n0\r\n\r\n"),
    "chunk size of 2^64+5": request(TE, body=b"10000000000000005\r\nhello\r\n0\r\n\r\n"),
    "chunk size with zeros": request(TE, body=b"000000000005\r\nhello\r\n0\r\n\r\n"),
    "chunk too long": request(TE, body=b"5\r\nhello!\r\n0\r\n\r\n"),
    "last chunk 00": request(TE, body=b"5\r\nhello\r\n00\r\n\r\n"),
    "trailers": request(TE, "Trailer: X", body=b"5\r\nhello\r\n0\r\nX: y\r\n\r\n"),
    "length in the trailers": request(TE, body=b"5\r\nhello\r\n0\r\nContent-Length: 50\r\n\r\n"),
    # lines and names
    "name with a blank": request("Content-Length : 5", body=b"hello"),
    "name with a tab": request("Content-Length\t: 5", body=b"hello"),
    "name without text": request(": x", method="GET"),
    "name with NUL": request(b"X\0: y", method="GET"),
    "value with NUL": request(b"X: a\0b", method="GET"),
    "value with bare CR": request(b"X: a\rb", method="GET"),
    "line without a colon": request("nonsense", method="GET"),
    "folded line": request("X: a\r\n b", method="GET"),
    "bare LF lines": b"GET / HTTP/1.1\nHost: a\n\n",
    "head ends in LF": b"GET / HTTP/1.1\r\nHost: a\r\n\n",
    "CRLF before the request": b"\r\n" + request(method="GET"),
    # the first line
    "two blanks": b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
    "a tab": b"GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "no version": b"GET /\r\nHost: a\r\n\r\n",
    "HTTP/1.1 x": b"GET / HTTP/1.1 x\r\nHost: a\r\n\r\n",
    "http/1.1": request(method="GET", version="http/1.1"),
    "HTTP/1.2": request(method="GET", version="HTTP/1.2"),
    "HTTP/2.0": request(method="GET", version="HTTP/2.0"),
    "HTTP/1.01": request(method="GET", version="HTTP/1.01"),
    "target with a fragment": request(method="GET", target="/#a"),
    "target with NUL": request(method="GET", target="/\0"),
    "target with bytes": b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n",
    "absolute target, other host": request(method="GET", target="http://b/"),
    "asterisk with GET": request(method="GET", target="*"),
    # hosts
    "no host": request(method="GET", host=None),
    "two hosts": request("Host: b", method="GET"),
    "two equal hosts": request("Host: a", method="GET"),
    "host without text": request(method="GET", host="Host:"),
    "host with a blank": request(method="GET", host="Host: a b"),
    "host with a user": request(method="GET", host="Host: u@a"),
    "host with a slash": request(method="GET", host="Host: a/b"),
    # bodies where nobody expects them
    "GET with length": request(CL(len(BODY)), body=BODY, method="GET"),
    "GET in chunks": request(TE, body=b"0\r\n\r\n", method="GET"),
    "HEAD with length": request(CL(5), body=b"hello", method="HEAD"),
    "Connection names the length": request("Connection: Content-Length", CL(5), body=b"hello"),
    "Connection names the coding": request("Connection: Transfer-Encoding", TE, body=CHUNKS),
    "Upgrade to h2c": request("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk", method="GET"),
}

EXPLAINED = pathlib.Path(__file__).parents[2] / "docs" / "request-smuggling.md"


def explained():
    """What the page says of each case, and that it says why."""
    rows = (line.strip("| \n").split(" | ") for line in EXPLAINED.read_text().splitlines() if line.startswith("| `"))
    return {row[0].strip("`"): tuple(row[1:4]) for row in rows if len(row) == 5 and row[4]}


class Service(socketserver.ThreadingTCPServer):
    """Reads requests as a strict server does and remembers their first lines."""

    daemon_threads = True
    allow_reuse_address = True
    seen = []


class Reader(socketserver.StreamRequestHandler):
    def handle(self):
        while line := self.rfile.readline():
            head = [line]
            while (line := self.rfile.readline()) not in (b"\r\n", b""):
                head.append(line)
            fields = {name.strip().lower(): value.strip() for name, _, value in (field.partition(b":") for field in head[1:])}
            if fields.get(b"transfer-encoding", b"").lower() == b"chunked":
                body = b""
                while size := int(self.rfile.readline().split(b";")[0], 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                while self.rfile.readline() not in (b"\r\n", b""):
                    pass
            else:
                body = self.rfile.read(int(fields.get(b"content-length", b"0") or b"0"))
            # HTTP/1.0 and 1.1 alike: proxies differ in what they speak to services.
            words = head[0].split()
            Service.seen.append((words[0], words[1] if len(words) > 1 else b"", body))
            answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
            self.wfile.write(answer if words[0] == b"HEAD" else answer + b"ok")


def ask(port, data):
    """The first status, and what the service saw."""
    Service.seen = []
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(data)
        # A second write: what comes in one piece is not the same to every reader.
        time.sleep(0.02)
        received = b""
        try:
            connection.sendall(request("Connection: close", method="GET", target="/next"))
            connection.settimeout(1.5)
            while chunk := connection.recv(65536):
                received += chunk
        except OSError:
            pass
    status = received[9:12].decode("latin-1") if received.startswith(b"HTTP/") else ("none" if not received else "bare")
    return status, list(Service.seen)


def verdict(status, seen, data):
    first = [entry for entry in seen if entry[1] != b"/next"]
    if any(b"smuggled" in entry[1] for entry in seen):
        return "SMUGGLED"
    if not first:
        return "refused" if status[:1] in "45" or status in ("none", "bare") else f"answered {status}"
    return "passed"


def start_nginx(folder, port, service):
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; worker_processes 1; events {{}}\n"
        f"http {{ access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;\n"
        f"uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;\n"
        f"upstream up {{ server 127.0.0.1:{service}; keepalive 8; }}\n"
        f"server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://up; proxy_http_version 1.1;\n"
        f"proxy_set_header Connection ''; proxy_request_buffering off; }} }} }}\n")
    return subprocess.Popen([shutil.which("nginx") or "/usr/sbin/nginx", "-c", folder / "nginx.conf", "-p", folder],
                            stderr=subprocess.DEVNULL)


def start_haproxy(folder, port, service):
    (folder / "haproxy.cfg").write_text(
        "defaults\n mode http\n timeout client 5s\n timeout server 5s\n timeout connect 5s\n option http-keep-alive\n"
        f"frontend f\n bind 127.0.0.1:{port}\n default_backend b\nbackend b\n server s 127.0.0.1:{service}\n")
    return subprocess.Popen([shutil.which("haproxy") or "/usr/sbin/haproxy", "-f", folder / "haproxy.cfg"],
                            stderr=subprocess.DEVNULL)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port):
    deadline = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def main():
    service = Service(("127.0.0.1", 0), Reader)
    threading.Thread(target=service.serve_forever, daemon=True).start()
    target = service.server_address[1]
    print(target, flush=True)
    node = int(sys.stdin.readline())
    wanted = explained()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="smuggling"))
    nginx, haproxy = free_port(), free_port()
    processes = [start_nginx(folder, nginx, target), start_haproxy(folder, haproxy, target)]
    failed, table = [], []
    try:
        for port in (nginx, haproxy, node):
            wait_for(port)
        for name, data in CASES.items():
            found = {}
            for who, port in (("node", node), ("nginx", nginx), ("haproxy", haproxy)):
                status, seen = ask(port, data)
                found[who] = verdict(status, seen, data), status
            verdicts = {who: answer[0] for who, answer in found.items()}
            if verdicts["node"] == "SMUGGLED":
                failed.append(f"{name}: what was hidden reached the service: {found}")
            row = tuple(f"{answer[0]} ({answer[1]})" for answer in found.values())
            if len(set(verdicts.values())) > 1:
                table.append((name, *row))
                if wanted.get(name) != row:
                    failed.append(f"{name}: {row} is not what is explained: {wanted.get(name)}")
            elif name in wanted:
                failed.append(f"{name}: explained, and all three do the same: {row}")
    finally:
        for process in processes:
            process.terminate()
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{len(CASES)} cases, {len(table)} on which the three differ, {len(failed)} failed")
    print(*failed, sep="\n")
    return 1 if failed else 0


sys.exit(main())
