"""The peers: Python's Postgres clients, doing what libpq.c does.

    peers.py CLIENT WORKLOAD --tasks N --connections N --seconds S --url URL [--uvloop]

CLIENT is psycopg or asyncpg, WORKLOAD is point, tenant, rows or copy. Prints one
line of JSON. README.md tells what its fields mean.
"""

import argparse
import asyncio
import json
import random
import resource
import time
from datetime import datetime, timedelta, timezone

WARM_UP_SECONDS = 0.5
ITEMS, TENANTS, COPIED_ROWS = 100_000, 100, 10_000
ROWS_PER_OP = {"rows": ITEMS, "copy": COPIED_ROWS}

BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
ROWS = "select id, name, score, changed_at from bench.point"
EPOCH = datetime(2000, 1, 1, tzinfo=timezone.utc)
ITEMS_TO_COPY = [
    (i + 1, f"item number {i + 1}", i * 7919 % 1_000_003, EPOCH + timedelta(microseconds=i * 1_000_001))
    for i in range(COPIED_ROWS)
]


def random_id():
    return 1 + int(random.random() * ITEMS)  # several times faster than randint


def check_rows(rows):
    """Looks at every value, as libpq.c does. Both clients have decoded them by now."""
    ids = names = scores = 0
    for id, name, score, changed_at in rows:
        ids += id
        names += len(name)
        scores += score
        assert changed_at > EPOCH
    assert len(rows) == ITEMS and ids == ITEMS * (ITEMS + 1) // 2 and names and scores


class Psycopg:
    """psycopg 3's AsyncConnection and pool, in the binary format, always prepared."""

    async def open(self, url, count):
        from psycopg.types.numeric import Int8
        from psycopg_pool import AsyncConnectionPool

        self.int8 = Int8  # otherwise the number's size would decide its type
        settings = {"autocommit": True, "prepare_threshold": 0}
        self.pool = AsyncConnectionPool(url, min_size=count, max_size=count, kwargs=settings, open=False)
        await self.pool.open(wait=True)

    async def close(self):
        await self.pool.close()

    async def point(self):
        sql = "select name, score, changed_at from bench.point where id = %b"
        async with self.pool.connection() as connection:
            cursor = await connection.execute(sql, [self.int8(random_id())], binary=True)
            name, score, changed_at = await cursor.fetchone()

    async def tenant(self):
        id = random_id()
        sql = "select name, score, changed_at from bench.item where id = %b"
        async with self.pool.connection() as connection:
            async with connection.pipeline():
                await connection.execute(BEGIN)
                await connection.execute("select set_config('bench.tenant', %b, true)", [str(id % TENANTS)])
                cursor = await connection.execute(sql, [self.int8(id)], binary=True)
                await connection.execute("COMMIT")
            name, score, changed_at = await cursor.fetchone()

    async def rows(self):
        async with self.pool.connection() as connection:
            cursor = await connection.execute(ROWS, binary=True)
            check_rows(await cursor.fetchall())

    async def copy(self):
        async with self.pool.connection() as connection, connection.transaction(), connection.cursor() as cursor:
            await cursor.execute("TRUNCATE bench.target")
            async with cursor.copy("COPY bench.target FROM STDIN (FORMAT binary)") as copy:
                copy.set_types(["int8", "text", "int8", "timestamptz"])
                for item in ITEMS_TO_COPY:
                    await copy.write_row(item)
            assert cursor.rowcount == COPIED_ROWS


class Asyncpg:
    """asyncpg's pool. It has no pipeline mode: the transaction is four round trips."""

    async def open(self, url, count):
        import asyncpg

        async def keep(_):
            """Instead of the default, a round trip that resets the session at each release."""

        self.pool = await asyncpg.create_pool(url, min_size=count, max_size=count, reset=keep)

    async def close(self):
        await self.pool.close()

    async def point(self):
        sql = "select name, score, changed_at from bench.point where id = $1"
        async with self.pool.acquire() as connection:
            name, score, changed_at = await connection.fetchrow(sql, random_id())

    async def tenant(self):
        id = random_id()
        sql = "select name, score, changed_at from bench.item where id = $1"
        async with self.pool.acquire() as connection:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                await connection.fetchval("select set_config('bench.tenant', $1, true)", str(id % TENANTS))
                name, score, changed_at = await connection.fetchrow(sql, id)

    async def rows(self):
        async with self.pool.acquire() as connection:
            check_rows(await connection.fetch(ROWS))

    async def copy(self):
        async with self.pool.acquire() as connection, connection.transaction():
            await connection.execute("TRUNCATE bench.target")
            status = await connection.copy_records_to_table("target", schema_name="bench", records=ITEMS_TO_COPY)
            assert status == f"COPY {COPIED_ROWS}"


CLIENTS = {"psycopg": Psycopg, "asyncpg": Asyncpg}


async def repeat(operation, tasks, seconds):
    """The latencies of one operation after another, in each of so many tasks."""
    latencies = []
    deadline = time.perf_counter() + seconds

    async def task():
        start = time.perf_counter()
        while start < deadline:
            await operation()
            end = time.perf_counter()
            latencies.append(end - start)
            start = end

    async with asyncio.TaskGroup() as group:
        for _ in range(tasks):
            group.create_task(task())
    return latencies


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


async def measure(options):
    client = CLIENTS[options.client]()
    await client.open(options.url, options.connections)
    operation = getattr(client, options.workload)
    await repeat(operation, options.tasks, WARM_UP_SECONDS)

    cpu, start = cpu_seconds(), time.perf_counter()
    latencies = sorted(await repeat(operation, options.tasks, options.seconds))
    elapsed, cpu = time.perf_counter() - start, cpu_seconds() - cpu
    await client.close()

    count = len(latencies)
    name = options.client
    if isinstance(client, Psycopg) and options.workload == "tenant":
        name += " pipelined"
    if options.uvloop:
        name += " + uvloop"
    result = {
        "client": name,
        "workload": options.workload,
        "tasks": options.tasks,
        "connections": options.connections,
        "ops_per_s": round(count / elapsed, 2),
        "p50_us": round(latencies[(count - 1) // 2] * 1e6, 2),
        "p99_us": round(latencies[(count - 1) * 99 // 100] * 1e6, 2),
        "cpu_us_per_op": round(cpu / count * 1e6, 3),
        "unit": "op",
    }
    if options.workload in ROWS_PER_OP:
        result["rows_per_op"] = ROWS_PER_OP[options.workload]
    print(json.dumps(result))


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("client", choices=CLIENTS)
    parser.add_argument("workload", choices=["point", "tenant", "rows", "copy"])
    parser.add_argument("--tasks", type=int, default=1)
    parser.add_argument("--connections", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--url", required=True)
    parser.add_argument("--uvloop", action="store_true")
    options = parser.parse_args()
    loop = None
    if options.uvloop:
        import uvloop

        loop = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(measure(options))


if __name__ == "__main__":
    main()
