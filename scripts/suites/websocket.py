"""The cases of the Autobahn suite (groups 1 to 7, 9 and 10; 12 and 13 by whole messages), driven through a gateway.

Arguments: `short` or `long`, then the URLs of the echo service through the gateway. The service runs here; its port is the
first line of the output. Each case sends raw frames; what comes back has to be, byte for byte, what the service gives to a
client that is connected to it directly, and what the case demands.
"""

import asyncio
import os
import ssl
import struct
import sys

from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
LIMIT = 60
PAUSE = 0.15
MASK = b"\x37\xfa\x21\x3d"


def frame(opcode, payload=b"", fin=True, rsv=0, mask=True):
    if isinstance(payload, str):
        payload = payload.encode()
    head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    flag = 0x80 if mask else 0
    length = len(payload)
    if length < 126:
        head += bytes([flag | length])
    elif length < 65536:
        head += bytes([flag | 126]) + struct.pack(">H", length)
    else:
        head += bytes([flag | 127]) + struct.pack(">Q", length)
    if not mask:
        return head + payload
    key = int.from_bytes((MASK * (length // 4 + 1))[:length], "big")
    masked = (int.from_bytes(payload, "big") ^ key).to_bytes(length, "big") if length else b""
    return head + MASK + masked


def close(code=1000, reason=b""):
    return frame(CLOSE, b"" if code is None else struct.pack(">H", code) + reason)


def answer(opcode, payload):
    return frame(opcode, payload, mask=False)


def cases(is_long):
    """Name, pieces to send one after another, the bytes that the answer has to begin with or None."""
    sizes = [0, 125, 126, 127, 128, 65535, 65536]
    for group, opcode in ((1, TEXT), (2, BINARY)):
        for number, size in enumerate(sizes, 1):
            payload = b"*" * size
            yield f"1.{group}.{number}", [frame(opcode, payload), close()], answer(opcode, payload)
        chopped = frame(opcode, b"*" * 65536)
        pieces = [chopped[at:at + 997] for at in range(0, len(chopped), 997)]
        yield f"1.{group}.8", [*pieces, close()], answer(opcode, b"*" * 65536)

    yield "2.1", [frame(PING), close()], answer(PONG, b"")
    yield "2.2", [frame(PING, b"Hello, world!"), close()], answer(PONG, b"Hello, world!")
    yield "2.3", [frame(PING, b"\x00\xff\xfe\xfd"), close()], answer(PONG, b"\x00\xff\xfe\xfd")
    yield "2.4", [frame(PING, b"\xfe" * 125), close()], answer(PONG, b"\xfe" * 125)
    yield "2.5", [frame(PING, b"\xfe" * 126)], answer(CLOSE, struct.pack(">H", 1002))[:1]
    chopped = frame(PING, b"\xfe" * 125)
    yield "2.6", [*(bytes([byte]) for byte in chopped), close()], answer(PONG, b"\xfe" * 125)
    yield "2.7", [frame(PONG), close()], answer(CLOSE, struct.pack(">H", 1000))
    yield "2.8", [frame(PONG, b"unsolicited"), close()], answer(CLOSE, struct.pack(">H", 1000))
    yield "2.9", [frame(PONG, b"unsolicited"), frame(PING, b"ping"), close()], answer(PONG, b"ping")
    pings = [frame(PING, f"payload-{number}") for number in range(10)]
    pongs = b"".join(answer(PONG, f"payload-{number}") for number in range(10))
    yield "2.10", [b"".join(pings), close()], pongs
    yield "2.11", [*(bytes([byte]) for byte in b"".join(pings)), close()], pongs

    for rsv in range(1, 8):
        yield f"3.{rsv}", [frame(TEXT, b"small"), frame(TEXT, b"Hello", rsv=rsv)], answer(TEXT, b"small")
    for group, opcodes in ((1, (3, 4, 5, 6, 7)), (2, (11, 12, 13, 14, 15))):
        for number, opcode in enumerate(opcodes, 1):
            for variant, payload in enumerate((b"", b"reserved"), 1):
                sent = [frame(TEXT, b"small"), frame(opcode, payload) + frame(PING)]
                yield f"4.{group}.{number}.{variant}", sent, answer(TEXT, b"small")

    first, last = frame(TEXT, b"fragment1", fin=False), frame(0, b"fragment2")
    both = answer(TEXT, b"fragment1fragment2")
    yield "5.1", [frame(PING, b"x", fin=False), frame(0, b"y")], answer(CLOSE, b"")[:1]
    yield "5.2", [frame(PONG, b"x", fin=False), frame(0, b"y")], answer(CLOSE, b"")[:1]
    yield "5.3", [first, last, close()], None
    yield "5.4", [first + last, close()], None
    yield "5.5", [*(bytes([byte]) for byte in first + last), close()], None
    ping = frame(PING, b"ping")
    yield "5.6", [first, ping, last, close()], None
    yield "5.7", [first + ping + last, close()], None
    yield "5.8", [*(bytes([byte]) for byte in first + ping + last), close()], None
    for number, (fin, tail) in enumerate(((True, first), (True, last), (True, b""), (False, last), (False, first)), 9):
        yield f"5.{number}", [frame(0, b"non-continuation", fin=fin), tail], answer(CLOSE, b"")[:1]
    yield "5.14", [frame(0, b"x", fin=False), first + last], answer(CLOSE, b"")[:1]
    yield "5.15", [first, last, frame(0, b"fragment3", fin=False), frame(TEXT, b"fragment4")], None
    yield "5.16", [frame(0, b"x", fin=False) + first + last], answer(CLOSE, b"")[:1]
    yield "5.17", [frame(0, b"x") + first + last], answer(CLOSE, b"")[:1]
    yield "5.18", [frame(TEXT, b"fragment1", fin=False), frame(TEXT, b"fragment2")], None
    middle = frame(0, b"fragment2", fin=False) + frame(PING, b"pongme 1!")
    rest = frame(0, b"fragment3", fin=False) + frame(0, b"fragment4", fin=False) + frame(PING, b"pongme 2!")
    yield "5.19", [first, middle, rest, frame(0, b"fragment5"), close()], None
    yield "5.20", [first + middle + rest, frame(0, b"fragment5"), close()], None
    assert both

    good = "Hello-µ@ßöäüàá-UTF-8!!".encode()
    bad = b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited"
    yield "6.1.1", [frame(TEXT, b""), close()], answer(TEXT, b"")
    yield "6.2.1", [frame(TEXT, good), close()], answer(TEXT, good)
    yield "6.2.2", [frame(TEXT, good[:8], fin=False), frame(0, good[8:]), close()], None
    yield "6.2.3", [*(frame(TEXT if at == 0 else 0, good[at:at + 1], fin=at + 1 == len(good)) for at in range(len(good))),
                    close()], None
    yield "6.3.1", [frame(TEXT, bad)], answer(CLOSE, b"")[:1]
    yield "6.3.2", [*(frame(TEXT if at == 0 else 0, bad[at:at + 1], fin=at + 1 == len(bad)) for at in range(len(bad)))], None
    for number, tail in enumerate((b"\xf4\x90\x80\x80", b"\xed\xa0\x80", b"\xff", b"\xc0\xaf", b"\xe2\x82", b"\xf8\x88\x80\x80\x80"), 1):
        yield f"6.4.{number}", [frame(TEXT, b"ok" + tail)], answer(CLOSE, b"")[:1]
    for number, text in enumerate(("\u0000", "\u007f", "\u0080", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\ufffd", "\uffff",
                                   "\U00010000", "\U0010ffff"), 1):
        yield f"6.5.{number}", [frame(TEXT, text), close()], answer(TEXT, text)

    bye = answer(CLOSE, struct.pack(">H", 1000))
    yield "7.1.1", [frame(TEXT, b"Hello World!"), close()], answer(TEXT, b"Hello World!")
    yield "7.1.2", [close() + close()], bye
    yield "7.1.3", [close() + frame(PING)], bye
    yield "7.1.4", [close() + frame(TEXT, b"late")], bye
    yield "7.1.5", [first + close(), last], None
    yield "7.1.6", [frame(TEXT, b"*" * 262144), close() + frame(PING)], answer(TEXT, b"*" * 262144)
    yield "7.3.1", [frame(CLOSE)], answer(CLOSE, b"")
    yield "7.3.2", [frame(CLOSE, b"a")], answer(CLOSE, b"")[:1]
    yield "7.3.3", [close(1000)], bye
    yield "7.3.4", [close(1000, b"Hello World!")], None
    yield "7.3.5", [close(1000, b"*" * 123)], None
    yield "7.3.6", [close(1000, b"*" * 124)], answer(CLOSE, b"")[:1]
    yield "7.5.1", [close(1000, b"\xce\xba\xed\xa0\x80")], answer(CLOSE, b"")[:1]
    for number, code in enumerate((1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999), 1):
        yield f"7.7.{number}", [close(code)], answer(CLOSE, struct.pack(">H", code))
    for number, code in enumerate((0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999), 1):
        yield f"7.9.{number}", [close(code)], answer(CLOSE, b"")[:1]
    for number, code in enumerate((5000, 65535), 1):
        yield f"7.13.{number}", [close(code)], answer(CLOSE, b"")[:1]

    sizes = [64 << 10, 256 << 10, 1 << 20] + ([4 << 20, 8 << 20, 16 << 20] if is_long else [])
    for group, opcode in ((1, TEXT), (2, BINARY)):
        for number, size in enumerate(sizes, 1):
            yield f"9.{group}.{number}", [frame(opcode, b"*" * size), close()], answer(opcode, b"*" * size)
    total = (4 << 20) if is_long else (256 << 10)
    for group, opcode in ((3, TEXT), (4, BINARY)):
        for number, size in enumerate((64, 256, 1024, 4096, 16384, 65536), 1):
            if not is_long and size < 1024:
                continue
            parts = [frame(opcode if at == 0 else 0, b"*" * size, fin=at + size == total) for at in range(0, total, size)]
            yield f"9.{group}.{number}", [b"".join(parts), close()], None
    whole = frame(TEXT, b"*" * (1 << 20 if is_long else 1 << 17))
    for number, size in enumerate((64, 128, 256, 512, 1024, 2048), 1):
        if is_long or size >= 1024:
            yield f"9.5.{number}", [*(whole[at:at + size] for at in range(0, len(whole), size)), close()], None
    count = 1000 if is_long else 100
    for number, size in enumerate((0, 16, 64, 256, 1024, 4096), 1):
        message = frame(BINARY, b"x" * size)
        yield f"9.7.{number}", [message * count, close()], answer(BINARY, b"x" * size) * count
    yield "10.1.1", [*(frame(TEXT if at == 0 else 0, b"*" * 1300, fin=at == 64) for at in range(65)), close()], None


async def run_case(url, pieces, need):
    """Sends the pieces and gives everything that came back after the handshake.

    The service stops answering once it has seen a close frame, so the last piece is sent when `need` bytes have
    come in answer to the others, and no more follow. Gives also how many had come by then.
    """
    scheme, rest = url.split("://")
    host, port = rest.split("/")[0].split(":")
    path = "/" + rest.split("/", 1)[1] if "/" in rest else "/"
    context = None
    if scheme == "wss":
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    reader, writer = await asyncio.open_connection(host, int(port), ssl=context, limit=1 << 26)
    writer.write((f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n").encode())
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101 "), head
    assert b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in head, head

    async def send():
        try:
            for piece in pieces[:-1]:
                writer.write(piece)
                await writer.drain()
            seen = -1
            while len(pieces) > 1 and (seen != len(received) or seen < need):
                seen = len(received)
                await asyncio.sleep(PAUSE)
            before.append(len(received))
            writer.write(pieces[-1])
            await writer.drain()
        except OSError:
            pass  # The service closed in the middle of what it refuses.

    received, before = bytearray(), []
    sending = asyncio.create_task(send())
    try:
        while chunk := await reader.read(1 << 20):
            received.extend(chunk)
    except OSError:
        pass  # A reset behind the close frame is an end too.
    # What the service ended needs nothing more sent to it.
    sending.cancel()
    writer.close()
    return bytes(received), before[0] if before else 0


async def echo(websocket):
    try:
        async for message in websocket:
            await websocket.send(message)
    except ConnectionClosed:
        pass


def difference(name, direct, through, wanted):
    if wanted is not None and not direct.startswith(wanted):
        return f"{name}: the service itself gave {direct[:40]!r}"
    if wanted is not None and not through.startswith(wanted):
        return f"{name}: {through[:60]!r} does not begin with {wanted[:60]!r}"
    # A refusal may overtake what was answered before it only where the client still sends; its own frame is there then.
    if direct != through:
        return f"{name}: {len(through)} bytes through the gateway, {len(direct)} without: {through[-60:]!r} {direct[-60:]!r}"
    return None


async def compressed(url, is_long):
    """Groups 12 and 13: messages of many sizes with permessage-deflate."""
    context = None
    if url.startswith("wss"):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    failed, count = [], 0
    async with connect(url, ssl=context, max_size=None, compression="deflate") as websocket:
        if "permessage-deflate" not in websocket.response.headers.get("Sec-WebSocket-Extensions", ""):
            failed.append("12: no compression was agreed on")
        for size in (16, 64, 256, 1024, 4096, 8192, 16384, 32768, 65536, 131072):
            for round_ in range(20 if is_long else 3):
                message = os.urandom(size // 2).hex() if round_ % 2 else os.urandom(size)
                await websocket.send(message)
                count += 1
                if await websocket.recv() != message:
                    failed.append(f"12: a message of {size} came back changed")
    return count, failed


async def main():
    is_long = sys.argv[1] == "long"
    async with serve(echo, "127.0.0.1", 0, max_size=None, compression=None, ping_interval=None) as plain, \
            serve(echo, "127.0.0.1", 0, max_size=None, ping_interval=None) as deflating:
        ports = [server.sockets[0].getsockname()[1] for server in (plain, deflating)]
        print(*ports, flush=True)
        urls = (await asyncio.to_thread(sys.stdin.readline)).split()
        failed, count = [], 0
        places = asyncio.Semaphore(16)

        async def judge(name, pieces, wanted):
            async with places:
                answers = wanted if wanted and wanted[:1] != b"\x88" else b""
                need = len(answers) if pieces[-1] == close() else 0
                run = run_case(f"ws://127.0.0.1:{ports[0]}/", pieces, need)
                direct, need = await asyncio.wait_for(run, LIMIT)
                found = []
                for url in urls:
                    try:
                        through, _ = await asyncio.wait_for(run_case(f"{url}/plain", pieces, need), LIMIT)
                        found.append(difference(f"{url} {name}", direct, through, wanted))
                    except (TimeoutError, OSError, AssertionError, asyncio.IncompleteReadError) as error:
                        found.append(f"{url} {name}: {error!r}")
                return found

        for found in await asyncio.gather(*(judge(*case) for case in cases(is_long))):
            count += len(found)
            failed += [fault for fault in found if fault]
        for url in urls:
            more, found = await compressed(f"{url}/deflate", is_long)
            count += more
            failed += found
    print(f"{count} cases, {len(failed)} failed")
    print(*failed, sep="\n")
    return 1 if failed else 0


sys.exit(asyncio.run(main()))
