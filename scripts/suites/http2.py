"""HTTP/2 towards a node, frame by frame: the cases of h2spec, written anew after RFC 9113 and RFC 7541, and floods.

Arguments: none. The service's port is the first line of the output; then a line comes in with the address of the node's listener
for HTTP/2 in clear. Each case sends frames on a connection of its own and says what has to come back.
"""

import concurrent.futures
import http.server
import socket
import struct
import sys
import threading
import time

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST, SETTINGS, PUSH, PING, GOAWAY, WINDOW, CONTINUATION = range(10)
END_STREAM, END_HEADERS, PADDED, PRIORITIZED, ACK = 1, 4, 8, 32, 1
NO_ERROR, PROTOCOL, INTERNAL, FLOW, TIMEOUT, CLOSED, SIZE, REFUSED, CANCEL, COMPRESSION, CONNECT, CALM = range(12)


def frame(kind, flags=0, stream=0, payload=b"", length=None):
    return struct.pack(">I", len(payload) if length is None else length)[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def literal(name, value):
    """A field without indexing, without Huffman coding."""
    name, value = name.encode(), value if isinstance(value, bytes) else value.encode()
    assert len(name) < 127 and len(value) < 127
    return b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value


def fields(*pairs, method="GET", path="/", scheme="http", authority="a"):
    pseudo = [(":method", method), (":path", path), (":scheme", scheme), (":authority", authority)]
    return b"".join(literal(name, value) for name, value in [*((n, v) for n, v in pseudo if v is not None), *pairs])


def headers(stream=1, block=None, flags=END_STREAM | END_HEADERS, prefix=b"", suffix=b""):
    return frame(HEADERS, flags, stream, prefix + (fields() if block is None else block) + suffix)


def setting(key, value):
    return struct.pack(">HI", key, value)


class Connection:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=5)
        self.buffer = b""
        self.is_closed = False

    def send(self, data):
        try:
            self.socket.sendall(data)
        except OSError:
            pass  # Closed already: what was said before counts.

    def read(self, until):
        """Frames until one of them satisfies `until`, or the end."""
        frames = []
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            while len(self.buffer) >= 9 and len(self.buffer) >= 9 + int.from_bytes(self.buffer[:3]):
                length = int.from_bytes(self.buffer[:3])
                kind, flags = self.buffer[3], self.buffer[4]
                stream = int.from_bytes(self.buffer[5:9]) & 0x7fffffff
                payload, self.buffer = self.buffer[9:9 + length], self.buffer[9 + length:]
                frames.append((kind, flags, stream, payload))
                if kind == SETTINGS and not flags & ACK:
                    self.send(frame(SETTINGS, ACK))
                if until(frames[-1]):
                    return frames
            try:
                chunk = self.socket.recv(65536)
            except OSError:
                chunk = b""
            if not chunk:
                self.is_closed = True
                return frames
            self.buffer += chunk
        return frames


def connection_error(*codes):
    """GOAWAY with one of the codes, or with the general one, or the end of the connection."""
    def judge(connection):
        frames = connection.read(lambda f: f[0] == GOAWAY)
        last = [f for f in frames if f[0] == GOAWAY]
        if last:
            code = int.from_bytes(last[-1][3][4:8])
            return None if code in (*codes, PROTOCOL) else f"GOAWAY with {code}"
        return None if connection.is_closed else f"no GOAWAY and no end: {[f[:3] for f in frames]}"
    return judge


def stream_error(*codes, stream=1):
    """RST_STREAM with one of the codes; an error of the whole connection is as good."""
    def judge(connection):
        frames = connection.read(lambda f: f[0] == GOAWAY or (f[0] == RST and f[2] == stream))
        last = frames[-1] if frames else None
        if last and last[0] in (RST, GOAWAY):
            code = int.from_bytes(last[3][-4:] if last[0] == RST else last[3][4:8])
            return None if code in (*codes, PROTOCOL) else f"code {code}"
        return None if connection.is_closed else f"no RST_STREAM: {[f[:3] for f in frames]}"
    return judge


def refused(stream=1):
    """A malformed request: an error of the stream, or an answer of 400."""
    def judge(connection):
        frames = connection.read(lambda f: f[0] == GOAWAY or (f[0] in (RST, HEADERS) and f[2] == stream))
        last = frames[-1] if frames else None
        if last and last[0] == HEADERS:
            # 400 stands in the static table (8 + 4).
            return None if last[3][:1] == b"\x8c" else f"an answer: {last[3][:10]!r}"
        return None if (last and last[0] in (RST, GOAWAY)) or connection.is_closed else "nothing"
    return judge


def answered(stream=1):
    def judge(connection):
        frames = connection.read(lambda f: f[0] == GOAWAY or (f[0] in (RST, HEADERS) and f[2] == stream))
        last = frames[-1] if frames else None
        if last and last[0] == HEADERS:
            return None if last[3][:1] == b"\x88" else f"status {last[3][:5]!r}"
        return f"no answer: {[f[:3] for f in frames]}"
    return judge


def ponged(payload=b"12345678"):
    def judge(connection):
        frames = connection.read(lambda f: f[0] == GOAWAY or (f[0] == PING and f[1] & ACK))
        last = frames[-1] if frames else None
        return None if last and last[0] == PING and last[3] == payload else f"no PING: {[f[:3] for f in frames]}"
    return judge


ping = frame(PING, payload=b"12345678")
post = fields(method="POST")
start = PREFACE + frame(SETTINGS)

CASES = {
    # RFC 9113 section 3.4
    "preface": (start + ping, ponged()),
    "a bad preface": (b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n" + frame(SETTINGS), connection_error(PROTOCOL)),
    "no SETTINGS behind the preface": (PREFACE + ping, connection_error(PROTOCOL)),
    # 4.1, 4.2
    "unknown frame": (start + frame(22, stream=0, payload=b"x" * 8) + ping, ponged()),
    "unknown flags": (start + frame(PING, 0x16, payload=b"12345678"), ponged()),
    "reserved bit": (start + frame(PING, 0, 0x80000000, b"12345678"), ponged()),
    "DATA of 16,384": (start + headers(block=post, flags=END_HEADERS) + frame(DATA, END_STREAM, 1, b"x" * 16384), answered()),
    "DATA too large": (start + headers(block=post, flags=END_HEADERS) + frame(DATA, END_STREAM, 1, b"x" * 16385), stream_error(SIZE)),
    "HEADERS too large": (start + headers(block=fields() + literal("x", "y" * 100) * 200), connection_error(SIZE)),
    # 4.3
    "a broken field block": (start + headers(block=b"\xbe\xff\xff\xff\xff\xff\xff\xff\xff"), connection_error(COMPRESSION)),
    "PRIORITY inside a field block": (start + headers(flags=END_STREAM) + frame(PRIORITY, 0, 1, b"\0\0\0\0\x10"), connection_error(PROTOCOL)),
    "HEADERS of another stream inside a field block": (start + headers(flags=END_STREAM) + headers(3), connection_error(PROTOCOL)),
    # 5.1
    "idle: DATA": (start + frame(DATA, END_STREAM, 1, b"x"), connection_error(PROTOCOL)),
    "idle: RST_STREAM": (start + frame(RST, 0, 1, b"\0\0\0\x08"), connection_error(PROTOCOL)),
    "idle: WINDOW_UPDATE": (start + frame(WINDOW, 0, 1, b"\0\0\0\x64"), connection_error(PROTOCOL)),
    "idle: CONTINUATION": (start + frame(CONTINUATION, END_HEADERS, 1, fields()), connection_error(PROTOCOL)),
    "half closed: DATA": (start + headers() + frame(DATA, END_STREAM, 1, b"x"), stream_error(CLOSED)),
    "half closed: HEADERS": (start + headers() + headers(), stream_error(CLOSED, PROTOCOL)),
    "half closed: CONTINUATION": (start + headers() + frame(CONTINUATION, END_HEADERS, 1, fields()), connection_error(CLOSED, PROTOCOL)),
    "closed by RST_STREAM: DATA": (start + headers(block=post, flags=END_HEADERS) + frame(RST, 0, 1, b"\0\0\0\x08")
                                   + frame(DATA, END_STREAM, 1, b"x") + ping, None),
    "closed by RST_STREAM: HEADERS": (start + headers(block=post, flags=END_HEADERS) + frame(RST, 0, 1, b"\0\0\0\x08")
                                      + headers(), stream_error(CLOSED, PROTOCOL)),
    "closed by RST_STREAM: CONTINUATION": (start + headers(block=post, flags=END_HEADERS) + frame(RST, 0, 1, b"\0\0\0\x08")
                                           + frame(CONTINUATION, END_HEADERS, 1, fields()), connection_error(CLOSED, PROTOCOL)),
    # 5.1.1, 5.1.2
    "an even stream": (start + headers(2), connection_error(PROTOCOL)),
    "a smaller stream": (start + headers(5) + headers(3), connection_error(PROTOCOL, CLOSED)),
    "more streams than allowed": ("streams", None),
    # 5.3.1
    "HEADERS that depend on themselves": (start + headers(flags=END_STREAM | END_HEADERS | PRIORITIZED, prefix=b"\0\0\0\x01\x10"),
                                          stream_error(PROTOCOL)),
    "PRIORITY that depends on itself": (start + frame(PRIORITY, 0, 1, b"\0\0\0\x01\x10"), stream_error(PROTOCOL)),
    # 5.5
    "unknown extension inside a field block": (start + headers(flags=END_STREAM) + frame(22, payload=b"x" * 8, stream=1), connection_error(PROTOCOL)),
    # 6.1
    "DATA on stream 0": (start + frame(DATA, END_STREAM, 0, b"x"), connection_error(PROTOCOL)),
    "DATA with too much padding": (start + headers(block=post, flags=END_HEADERS) + frame(DATA, END_STREAM | PADDED, 1, b"\x05xx"), connection_error(PROTOCOL)),
    "DATA with padding": (start + headers(block=post, flags=END_HEADERS) + frame(DATA, END_STREAM | PADDED, 1, b"\x02xx\0\0"), answered()),
    # 6.2
    "HEADERS without END_HEADERS, then PRIORITY": (start + headers(flags=END_STREAM) + frame(PRIORITY, 0, 3, b"\0\0\0\0\x10"), connection_error(PROTOCOL)),
    "HEADERS on stream 0": (start + headers(0), connection_error(PROTOCOL)),
    "HEADERS with too much padding": (start + headers(flags=END_STREAM | END_HEADERS | PADDED, block=b"\x88", prefix=b"\x05"), connection_error(PROTOCOL)),
    "HEADERS with padding": (start + headers(flags=END_STREAM | END_HEADERS | PADDED, prefix=b"\x02", suffix=b"\0\0"), answered()),
    "HEADERS with a priority": (start + headers(flags=END_STREAM | END_HEADERS | PRIORITIZED, prefix=b"\0\0\0\0\x10"), answered()),
    # 6.3
    "PRIORITY on stream 0": (start + frame(PRIORITY, 0, 0, b"\0\0\0\0\x10"), connection_error(PROTOCOL)),
    "PRIORITY of 4 bytes": (start + frame(PRIORITY, 0, 1, b"\0\0\0\0"), stream_error(SIZE)),
    "PRIORITY": (start + frame(PRIORITY, 0, 1, b"\0\0\0\0\x10") + headers(), answered()),
    # 6.4
    "RST_STREAM on stream 0": (start + frame(RST, 0, 0, b"\0\0\0\x08"), connection_error(PROTOCOL)),
    "RST_STREAM of 3 bytes": (start + headers(block=post, flags=END_HEADERS) + frame(RST, 0, 1, b"\0\0\0"), connection_error(SIZE)),
    # 6.5
    "SETTINGS ACK with content": (start + frame(SETTINGS, ACK, 0, b"\0"), connection_error(SIZE)),
    "SETTINGS on stream 1": (start + frame(SETTINGS, 0, 1, setting(3, 100)), connection_error(PROTOCOL)),
    "SETTINGS of 3 bytes": (start + frame(SETTINGS, 0, 0, b"\0\3\0"), connection_error(SIZE)),
    "ENABLE_PUSH of 2": (start + frame(SETTINGS, 0, 0, setting(2, 2)), connection_error(PROTOCOL)),
    "INITIAL_WINDOW_SIZE of 2^31": (start + frame(SETTINGS, 0, 0, setting(4, 1 << 31)), connection_error(FLOW)),
    "MAX_FRAME_SIZE of 16,383": (start + frame(SETTINGS, 0, 0, setting(5, 16383)), connection_error(PROTOCOL)),
    "MAX_FRAME_SIZE of 2^24": (start + frame(SETTINGS, 0, 0, setting(5, 1 << 24)), connection_error(PROTOCOL)),
    "unknown setting": (start + frame(SETTINGS, 0, 0, setting(255, 1)) + ping, ponged()),
    # 6.6
    "PUSH_PROMISE from a client": (start + headers(block=post, flags=END_HEADERS) + frame(PUSH, END_HEADERS, 1, b"\0\0\0\2" + fields()), connection_error(PROTOCOL)),
    # 6.7
    "PING": (start + ping, ponged()),
    "PING ACK": (start + frame(PING, ACK, 0, b"87654321") + ping, ponged()),
    "PING on stream 1": (start + frame(PING, 0, 1, b"12345678"), connection_error(PROTOCOL)),
    "PING of 6 bytes": (start + frame(PING, 0, 0, b"123456"), connection_error(SIZE)),
    # 6.8
    "GOAWAY on stream 1": (start + frame(GOAWAY, 0, 1, b"\0" * 8), connection_error(PROTOCOL)),
    # 6.9
    "WINDOW_UPDATE of 0": (start + frame(WINDOW, 0, 0, b"\0\0\0\0"), connection_error(PROTOCOL)),
    "WINDOW_UPDATE of 0 on a stream": (start + headers(block=post, flags=END_HEADERS) + frame(WINDOW, 0, 1, b"\0\0\0\0"), stream_error(PROTOCOL)),
    "WINDOW_UPDATE of 3 bytes": (start + frame(WINDOW, 0, 0, b"\0\0\1"), connection_error(SIZE)),
    "window over 2^31": (start + frame(WINDOW, 0, 0, b"\x7f\xff\xff\xff") * 2, connection_error(FLOW)),
    "window over 2^31 on a stream": (start + headers(block=post, flags=END_HEADERS) + frame(WINDOW, 0, 1, b"\x7f\xff\xff\xff") * 2, stream_error(FLOW)),
    # 6.10
    "CONTINUATION": (start + headers(block=fields()[:20], flags=END_STREAM) + frame(CONTINUATION, END_HEADERS, 1, fields()[20:]), answered()),
    "many CONTINUATIONs": (start + headers(block=fields()[:10], flags=END_STREAM) + frame(CONTINUATION, 0, 1, fields()[10:20])
                           + frame(CONTINUATION, END_HEADERS, 1, fields()[20:]), answered()),
    "CONTINUATION without its HEADERS": (start + headers() + frame(CONTINUATION, END_HEADERS, 1, b""), connection_error(PROTOCOL, CLOSED)),
    "CONTINUATION on stream 0": (start + headers(flags=END_STREAM) + frame(CONTINUATION, END_HEADERS, 0, b""), connection_error(PROTOCOL)),
    "DATA inside a field block": (start + headers(flags=0, block=post) + frame(DATA, END_STREAM, 1, b"x"), connection_error(PROTOCOL)),
    # 7
    "unknown code of GOAWAY": (start + frame(GOAWAY, 0, 0, b"\0\0\0\0\0\0\0\xff") + ping, None),
    "unknown code of RST_STREAM": (start + headers(block=post, flags=END_HEADERS) + frame(RST, 0, 1, b"\0\0\0\xff") + ping, ponged()),
    # 8.1 to 8.5
    "HEADERS in the middle without END_STREAM": (start + headers(block=post, flags=END_HEADERS) + headers(block=literal("x", "y"), flags=END_HEADERS), stream_error(PROTOCOL)),
    "a name in capitals": (start + headers(block=fields(("X-Y", "z"))), refused()),
    "an unknown pseudo field": (start + headers(block=fields((":test", "z"))), refused()),
    "a pseudo field of answers": (start + headers(block=fields((":status", "200"))), refused()),
    "a pseudo field in trailers": (start + headers(block=post, flags=END_HEADERS) + headers(block=literal(":method", "x")), stream_error(PROTOCOL)),
    "a pseudo field behind others": (start + headers(block=literal("x", "y") + fields()), refused()),
    "Connection": (start + headers(block=fields(("connection", "keep-alive"))), refused()),
    "TE other than trailers": (start + headers(block=fields(("te", "gzip"))), refused()),
    "TE trailers": (start + headers(block=fields(("te", "trailers"))), answered()),
    "Transfer-Encoding": (start + headers(block=fields(("transfer-encoding", "chunked"))), refused()),
    "an empty path": (start + headers(block=fields(path="")), refused()),
    "no method": (start + headers(block=fields(method=None)), refused()),
    "no scheme": (start + headers(block=fields(scheme=None)), refused()),
    "no path": (start + headers(block=fields(path=None)), refused()),
    "two methods": (start + headers(block=literal(":method", "GET") + fields()), refused()),
    "two schemes": (start + headers(block=literal(":scheme", "http") + fields()), refused()),
    "two paths": (start + headers(block=literal(":path", "/") + fields()), refused()),
    "a length that is too short": (start + headers(block=fields(("content-length", "1"), method="POST"), flags=END_HEADERS) + frame(DATA, END_STREAM, 1, b"xx"), refused()),
    "a length that is too long": (start + headers(block=fields(("content-length", "3"), method="POST"), flags=END_HEADERS) + frame(DATA, 0, 1, b"x")
                                  + frame(DATA, END_STREAM, 1, b"x"), refused()),
    "CR LF in a value": (start + headers(block=fields(("x", b"a\r\nb: c"))), refused()),
    "NUL in a value": (start + headers(block=fields(("x", b"a\0b"))), refused()),
    "a blank in a name": (start + headers(block=fields(("x y", "z"))), refused()),
    "a colon in a name": (start + headers(block=fields(("x:y", "z"))), refused()),
    "a blank in the path": (start + headers(block=fields(path="/a b")), refused()),
    "CR LF in the path": (start + headers(block=fields(path="/ HTTP/1.1\r\nX: y")), refused()),
    "CR LF in the method": (start + headers(block=fields(method="GET / HTTP/1.1\r\nX: y")), refused()),
    "CR LF in the authority": (start + headers(block=fields(authority="a\r\nX: y")), refused()),
    "Host other than the authority": (start + headers(block=fields(("host", "b"))), None),
    "trailers": (start + headers(block=post, flags=END_HEADERS) + frame(DATA, 0, 1, b"x") + headers(block=literal("x", "y")), answered()),
    "PUSH_PROMISE on stream 0": (start + frame(PUSH, END_HEADERS, 0, b"\0\0\0\2" + fields()), connection_error(PROTOCOL)),
    # RFC 7541
    "index 0": (start + headers(block=b"\x80"), connection_error(COMPRESSION)),
    "index beyond both tables": (start + headers(block=b"\xff\x80\x01"), connection_error(COMPRESSION)),
    "table size at the end of a block": (start + headers(block=fields() + b"\x20"), connection_error(COMPRESSION)),
    "table size beyond the setting": (start + headers(block=b"\x3f\xe2\x1f" + fields()), connection_error(COMPRESSION)),
    "Huffman: padding of 8 bits": (start + headers(block=fields() + b"\0\x01x\x83\xf8\xff\xff"), connection_error(COMPRESSION)),
    "Huffman: padding of zeros": (start + headers(block=fields() + b"\0\x01x\x81\x00"), connection_error(COMPRESSION)),
    "Huffman: EOS": (start + headers(block=fields() + b"\0\x01x\x84\xff\xff\xff\xff"), connection_error(COMPRESSION)),
    "a string longer than its block": (start + headers(block=fields() + b"\0\x7fx"), connection_error(COMPRESSION)),
}


def too_many_streams(port):
    """No more than the node allows: the next one is refused."""
    connection = Connection(port)
    connection.send(start)
    first = connection.read(lambda f: f[0] == SETTINGS and not f[1] & ACK)
    payload = first[-1][3]
    settings = {int.from_bytes(payload[at:at + 2]): int.from_bytes(payload[at + 2:at + 6]) for at in range(0, len(payload), 6)}
    allowed = settings.get(3)
    if not allowed or allowed > 1000:
        return f"MAX_CONCURRENT_STREAMS is {allowed}"
    connection.send(b"".join(headers(1 + 2 * n, block=post, flags=END_HEADERS) for n in range(allowed + 1)))
    return stream_error(REFUSED, PROTOCOL, stream=1 + 2 * allowed)(connection)


def flood(port, piece, count):
    """Sends the same again and again without reading; the node has to end it, and to serve others."""
    connection = Connection(port)
    connection.send(start)
    connection.socket.settimeout(10)
    try:
        for _ in range(count):
            connection.socket.sendall(piece)
    except TimeoutError:
        return None  # It reads no more: its memory stays as it is.
    except OSError:
        return None
    frames = connection.read(lambda f: f[0] == GOAWAY)
    return None if connection.is_closed or any(f[0] == GOAWAY for f in frames) else "it took all of it"


def resets(port):
    """Streams that are opened and reset at once."""
    connection = Connection(port)
    connection.send(start)
    stream = 1
    for _ in range(200):
        piece = b""
        for _ in range(50):
            piece += headers(stream, block=post, flags=END_HEADERS) + frame(RST, 0, stream, b"\0\0\0\x08")
            stream += 2
        connection.send(piece)
    frames = connection.read(lambda f: f[0] == GOAWAY)
    return None if connection.is_closed or any(f[0] == GOAWAY for f in frames) else "10,000 resets were taken"


def continuations(port):
    connection = Connection(port)
    connection.send(start + headers(flags=END_STREAM))
    for _ in range(2000):
        connection.send(frame(CONTINUATION, 0, 1, literal("x", "y" * 100) * 10))
    frames = connection.read(lambda f: f[0] in (GOAWAY, RST, HEADERS))
    return None if connection.is_closed or frames and frames[-1][0] in (GOAWAY, RST, HEADERS) else "2,000 frames were taken"


def header_list(port):
    """Fields beyond what the node takes are answered, and the connection serves on."""
    connection = Connection(port)
    block = fields() + literal("x", "y" * 120) * 80  # The service takes no more than 100 fields.
    parts = [block[at:at + 16000] for at in range(0, len(block), 16000)]
    connection.send(start + headers(block=parts[0], flags=END_STREAM | (END_HEADERS if len(parts) == 1 else 0)))
    return answered()(connection)


EXTRA = {
    "more streams than allowed": too_many_streams,
    "flood of PING": lambda port: flood(port, ping * 1000, 3000),
    "flood of SETTINGS": lambda port: flood(port, frame(SETTINGS, 0, 0, setting(3, 100)) * 1000, 3000),
    "flood of empty DATA": lambda port: flood(port, frame(DATA, 0, 1, b"") * 1000, 1000),
    "rapid reset": resets,
    "flood of CONTINUATION": continuations,
    "fields of 10 KiB": header_list,
}


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        try:
            self.respond()
        except (OSError, ValueError):
            self.close_connection = True  # The node broke off what its client broke off.

    def respond(self):
        if self.headers.get("Transfer-Encoding") == "chunked":
            while size := int(self.rfile.readline().split(b";")[0], 16):
                self.rfile.read(size + 2)
            while self.rfile.readline() not in (b"\r\n", b""):
                pass
        else:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    do_POST = do_GET

    def log_message(self, *_):
        pass


def main():
    service = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    service.daemon_threads = True
    threading.Thread(target=service.serve_forever, daemon=True).start()
    print(service.server_address[1], flush=True)
    port = int(sys.stdin.readline())
    def run(case):
        name, (data, judge) = case
        if name in EXTRA:
            wrong = EXTRA[name](port)
        else:
            connection = Connection(port)
            connection.send(data)
            wrong = judge(connection) if judge else None
        return f"{name}: {wrong}" if wrong else None

    cases = {**CASES, **{name: (b"", None) for name in EXTRA}}
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        failed = [wrong for wrong in pool.map(run, cases.items()) if wrong]
    # After all of it the node serves as ever.
    connection = Connection(port)
    connection.send(start + headers())
    if wrong := answered()(connection):
        failed.append(f"afterwards: {wrong}")
    print(f"{len(cases)} cases, {len(failed)} failed")
    print(*failed, sep="\n")
    return 1 if failed else 0


sys.exit(main())
