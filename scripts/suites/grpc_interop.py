"""gRPC through a gateway, with the reference implementation's Python client and server.

The server runs here; its port is the first line of the output. Then a line comes in: the plain address of the gateway, its TLS
address, and a file with the authority of its certificate.
"""

import sys
import time
from concurrent import futures

import grpc

SERVICE = "gatehouse.Test"


class Service(grpc.GenericRpcHandler):
    def service(self, details):
        name = details.method.rsplit("/", 1)[1]
        kinds = {
            "Unary": (grpc.unary_unary_rpc_method_handler, self.unary),
            "Fail": (grpc.unary_unary_rpc_method_handler, self.fail),
            "Slow": (grpc.unary_unary_rpc_method_handler, self.slow),
            "Many": (grpc.unary_stream_rpc_method_handler, self.many),
            "Break": (grpc.unary_stream_rpc_method_handler, self.break_off),
            "Sum": (grpc.stream_unary_rpc_method_handler, self.sum),
            "Chat": (grpc.stream_stream_rpc_method_handler, self.chat),
        }
        if name not in kinds:
            return None
        make, method = kinds[name]
        return make(method)

    def unary(self, request, context):
        seen = dict(context.invocation_metadata())
        context.send_initial_metadata((("x-initial", seen.get("x-sent", "-")),))
        context.set_trailing_metadata((("x-trailing", "t"), ("x-binary-bin", seen.get("x-sent-bin", b"") or b"-")))
        return request

    def fail(self, request, context):
        context.set_trailing_metadata((("x-why", "because"),))
        context.abort(grpc.StatusCode(self.code(int(request))), "reason: ä % 100")

    @staticmethod
    def code(number):
        return next(code.value for code in grpc.StatusCode if code.value[0] == number)

    def slow(self, request, context):
        self.cancelled = False
        context.add_callback(lambda: setattr(self, "cancelled", True))
        deadline = time.monotonic() + 10
        while context.is_active() and time.monotonic() < deadline:
            time.sleep(0.01)
        return request

    def many(self, request, context):
        for number in range(int(request)):
            yield str(number).encode()

    def break_off(self, request, context):
        yield b"one"
        context.abort(grpc.StatusCode.DATA_LOSS, "broken off")

    def sum(self, requests, context):
        return str(sum(int(request) for request in requests)).encode()

    def chat(self, requests, context):
        for request in requests:
            yield request + b"!"


failed = []
count = 0


def check(name, got, wanted):
    global count
    count += 1
    if got != wanted:
        failed.append(f"{name}: {got!r} instead of {wanted!r}")


def fails(name, call, code, details=None):
    global count
    count += 1
    try:
        call()
        failed.append(f"{name}: no error")
    except grpc.RpcError as error:
        if error.code() != code or (details is not None and error.details() != details):
            failed.append(f"{name}: {error.code()} {error.details()!r}")
        return error


def run(target, channel, service):
    def method(kind, name):
        return getattr(channel, kind)(f"/{SERVICE}/{name}")

    unary = method("unary_unary", "Unary")
    check(f"{target} unary", unary(b"hello", timeout=10), b"hello")
    check(f"{target} empty", unary(b"", timeout=10), b"")
    large = b"x" * 3_000_000
    check(f"{target} large", unary(large, timeout=20), large)
    answer, call = unary.with_call(b"m", timeout=10, metadata=(("x-sent", "v"), ("x-sent-bin", b"\0\xff")))
    check(f"{target} initial metadata", dict(call.initial_metadata()).get("x-initial"), "v")
    check(f"{target} trailing metadata", dict(call.trailing_metadata()).get("x-trailing"), "t")
    check(f"{target} binary metadata", dict(call.trailing_metadata()).get("x-binary-bin"), b"\0\xff")
    check(f"{target} status", call.code(), grpc.StatusCode.OK)
    many = method("unary_stream", "Many")
    check(f"{target} server stream", [int(item) for item in many(b"500", timeout=20)], list(range(500)))
    check(f"{target} empty server stream", list(many(b"0", timeout=10)), [])
    add = method("stream_unary", "Sum")
    check(f"{target} client stream", add(iter(str(n).encode() for n in range(500)), timeout=20), b"124750")
    check(f"{target} empty client stream", add(iter(()), timeout=10), b"0")
    chat = method("stream_stream", "Chat")
    check(f"{target} both streams", list(chat(iter([b"a", b"b", b"c"]), timeout=10)), [b"a!", b"b!", b"c!"])

    # An answer to each message before the next is sent: nothing may be held back.
    import queue
    sent = queue.Queue()
    call = chat(iter(sent.get, None), timeout=20)
    for number in range(50):
        sent.put(str(number).encode())
        check(f"{target} ping-pong {number}", next(call), f"{number}!".encode())
    sent.put(None)
    check(f"{target} ping-pong ends", list(call), [])

    for code in grpc.StatusCode:
        if code is grpc.StatusCode.OK:
            continue
        number = str(code.value[0]).encode()
        error = fails(f"{target} {code}", lambda: method("unary_unary", "Fail")(number, timeout=10), code, "reason: ä % 100")
        if error is not None:
            check(f"{target} {code} trailers", dict(error.trailing_metadata()).get("x-why"), "because")
    fails(f"{target} unknown method", lambda: method("unary_unary", "None")(b"", timeout=10), grpc.StatusCode.UNIMPLEMENTED)
    fails(f"{target} deadline", lambda: method("unary_unary", "Slow")(b"", timeout=0.3), grpc.StatusCode.DEADLINE_EXCEEDED)
    stream = method("unary_stream", "Break")(b"", timeout=10)
    check(f"{target} before the break", next(stream), b"one")
    fails(f"{target} break", lambda: next(stream), grpc.StatusCode.DATA_LOSS, "broken off")
    # A client that goes away takes the call of the service with it.
    service.cancelled = None
    future = method("unary_unary", "Slow").future(b"", timeout=10)
    deadline = time.monotonic() + 5
    while service.cancelled is None and time.monotonic() < deadline:
        time.sleep(0.01)
    future.cancel()
    while not service.cancelled and time.monotonic() < deadline:
        time.sleep(0.01)
    check(f"{target} cancelled", service.cancelled, True)
    # Many calls at once on one connection.
    calls = [unary.future(str(n).encode(), timeout=20) for n in range(200)]
    check(f"{target} at once", [int(call.result()) for call in calls], list(range(200)))


def main():
    service = Service()
    server = grpc.server(futures.ThreadPoolExecutor(16), handlers=(service,))
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    server.start()
    plain, secure, authority = sys.stdin.readline().split()
    with grpc.insecure_channel(plain) as channel:
        run("plain", channel, service)
    with open(authority, "rb") as file:
        credentials = grpc.ssl_channel_credentials(file.read())
    options = (("grpc.ssl_target_name_override", "grpc.test"),)
    with grpc.secure_channel(secure, credentials, options) as channel:
        run("TLS", channel, service)
    server.stop(None)
    print(f"{count} checks, {len(failed)} failed")
    print(*failed, sep="\n")
    return 1 if failed else 0


sys.exit(main())
