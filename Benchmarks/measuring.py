"""What the benchmarks share: a Postgres of their own, and tables."""

import glob
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from urllib.parse import quote


def say(text):
    print(text, file=sys.stderr, flush=True)


def output_of(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def find_binaries():
    """The folder of the newest Postgres server here."""
    version = lambda folder: [int(number) for number in re.findall(r"\d+", folder)]
    folders = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=version, reverse=True)
    if shutil.which("pg_config"):
        folders.append(output_of("pg_config", "--bindir"))
    folders.append(os.path.dirname(shutil.which("postgres") or ""))
    for folder in folders:
        if os.access(os.path.join(folder, "initdb"), os.X_OK):
            return folder
    return None


@contextmanager
def private_postgres(binaries, settings=""):
    """A Postgres that ends with the benchmark: its URLs by unix socket and by TCP, its process.

    `settings` are lines for postgresql.conf.
    """
    # Postgres refuses to run as root; Debian's packages create this user.
    account = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
    base = tempfile.mkdtemp(prefix="pg-bench-")
    data, log = os.path.join(base, "data"), os.path.join(base, "log")

    def server(program, *arguments):
        command = [os.path.join(binaries, program), "--pgdata", data, *arguments]
        # Not this process's stdout: the server would keep it open.
        done = subprocess.run(command, cwd=base, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, **account)
        if done.returncode != 0:
            if os.path.exists(log):
                say(open(log).read())
            sys.exit(f"{program} {' '.join(arguments)} failed")

    try:
        if account:
            shutil.chown(base, "postgres", "postgres")
        server("initdb", "--username", "postgres", "--auth", "trust", "--encoding", "UTF8", "--locale", "C.UTF-8")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        with open(os.path.join(data, "postgresql.conf"), "a") as file:
            file.write(f"listen_addresses = '127.0.0.1'\nport = {port}\n"
                       f"unix_socket_directories = '{base}'\n"
                       "shared_buffers = '256MB'\nmax_connections = 100\n" + settings)
        server("pg_ctl", "start", "--silent", "--wait", "--log", log)
        yield (f"postgresql:///postgres?host={quote(base)}&port={port}&user=postgres",
               f"postgresql://postgres@127.0.0.1:{port}/postgres",
               int(open(os.path.join(data, "postmaster.pid")).readline()))
    finally:
        for another in (signal.SIGINT, signal.SIGTERM):  # must not leave the server behind
            signal.signal(another, signal.SIG_IGN)
        if os.path.exists(os.path.join(data, "postmaster.pid")):
            server("pg_ctl", "stop", "--silent", "--wait", "--mode", "fast")
        shutil.rmtree(base)


def table(rows):
    """A Markdown table, its columns aligned so that it can be read as it is."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]

    def line(cells):
        padded = [cells[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(cells[1:], widths[1:])]
        return "| " + " | ".join(padded) + " |"

    rule = "|" + "|".join("-" * (width + 1) + (":" if i else "-") for i, width in enumerate(widths)) + "|"
    return "\n".join([line(rows[0]), rule] + [line(row) for row in rows[1:]])
