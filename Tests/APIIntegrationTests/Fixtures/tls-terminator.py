"""Speaks TLS to libpq and plain text to Postgres, in records of up to 16 kB.

Postgres itself writes records of at most 8 kB; a terminator between the two
may not, and what libpq then leaves undecrypted makes no socket readable.

    tls-terminator.py CERTIFICATE-AND-KEY POSTGRES-SOCKET

Prints its port, and serves until its standard input ends.
"""

import select
import socket
import ssl
import sys
import threading


def pump(source, sink):
    try:
        while data := source.recv(65536):
            # Gather what Postgres writes in pieces, or its small ones become our small records.
            while not isinstance(source, ssl.SSLSocket) and select.select([source], [], [], 0.003)[0]:
                if not (more := source.recv(65536)):
                    break
                data += more
            # One write is one record, up to the 16 kB that TLS allows.
            for start in range(0, len(data), 16384):
                sink.sendall(data[start : start + 16384])
    except OSError:
        pass
    finally:
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def serve(client, context, postgres):
    client.recv(8)  # SSLRequest
    client.sendall(b"S")
    try:
        client = context.wrap_socket(client, server_side=True)
    except (OSError, ssl.SSLError):
        return
    server = socket.socket(socket.AF_UNIX)
    server.connect(postgres)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    threading.Thread(target=pump, args=(client, server), daemon=True).start()
    pump(server, client)


def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1])
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)

    def accept():
        while True:
            client, _ = listener.accept()
            threading.Thread(target=serve, args=(client, context, sys.argv[2]), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    sys.stdin.read()


main()
