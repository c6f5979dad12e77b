// The limit: what libpq reaches with one thread per connection, blocking calls,
// prepared statements and the binary format, decoding what it reads.
//
//   libpq point  --connections N --seconds S --url CONNINFO
//   libpq tenant --connections N --seconds S --url CONNINFO [--pipeline]
//   libpq rows   --connections N --seconds S --url CONNINFO [--single-row | --text]
//   libpq copy   --connections N --seconds S --url CONNINFO
//
// Prints one line of JSON. README.md tells what its fields mean.

#include <endian.h>
#include <libpq-fe.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { ITEMS = 100000, TENANTS = 100, COPIED_ROWS = 10000 };
static const double WARM_UP_SECONDS = 0.5;

typedef struct {
    pthread_t thread;
    PGconn *connection;
    uint64_t random;
    int64_t decoded; // something that depends on everything decoded
    int64_t *latencies;
    size_t count, capacity;
} Worker;

typedef struct {
    const char *name;
    void (*operation)(Worker *);
    int rows_per_op; // 0 where an operation is not about many rows
    struct {
        const char *name, *sql;
    } statements[4];
} Workload;

typedef struct {
    int64_t id, score, changed_at; // changed_at in microseconds since 2000
    int name_length;
    char name[32];
} Item;

static const Workload *workload;
static const char *client = "libpq", *url;
static int connections = 1;
static double seconds = 3;
static bool pipelined, single_row, text;

static Item items_to_copy[COPIED_ROWS];
static int64_t expected_checksum;
static pthread_barrier_t phase;

static _Noreturn void fail(const char *what, const char *why) {
    fprintf(stderr, "libpq: %s: %s\n", what, why);
    exit(1);
}

// ------------------------------------------------------------------- libpq

static PGresult *expect(Worker *worker, PGresult *result, ExecStatusType status) {
    if (PQresultStatus(result) != status)
        fail(PQresStatus(PQresultStatus(result)), PQerrorMessage(worker->connection));
    return result;
}

static void send(Worker *worker, const char *statement, const void *parameter, int length) {
    const char *values[] = {parameter};
    if (!PQsendQueryPrepared(worker->connection, statement, parameter ? 1 : 0, values, &length, (int[]){1},
                             !text))
        fail(statement, PQerrorMessage(worker->connection));
}

// The next statement's result, and the NULL that ends it.
static PGresult *receive(Worker *worker, ExecStatusType status) {
    PGresult *result = expect(worker, PQgetResult(worker->connection), status);
    if (PQgetResult(worker->connection) != NULL) fail(workload->name, "more than one result");
    return result;
}

static PGresult *execute(Worker *worker, const char *statement, const void *parameter, int length,
                         ExecStatusType status) {
    send(worker, statement, parameter, length);
    return receive(worker, status);
}

static void command(Worker *worker, const char *statement) {
    PQclear(execute(worker, statement, NULL, 0, PGRES_COMMAND_OK));
}

// ----------------------------------------------------------------- decoding

static int64_t decode_int8(const char *bytes) {
    uint64_t number;
    memcpy(&number, bytes, sizeof number);
    return (int64_t)be64toh(number);
}

static int two_digits(const char *digits) { return (digits[0] - '0') * 10 + digits[1] - '0'; }

// "2024-01-01 00:00:01.000001+00", always in UTC, in microseconds since 2000,
// which is what the binary format holds.
static int64_t parse_timestamp(const char *value) {
    int year = two_digits(value) * 100 + two_digits(value + 2), month = two_digits(value + 5);
    int months_since_march = (month + 9) % 12;
    if (month <= 2) year--; // years that begin in March have their leap day at the end
    int days = year * 365 + year / 4 - year / 100 + year / 400 + (153 * months_since_march + 2) / 5 +
               two_digits(value + 8) - 1;
    int time = (two_digits(value + 11) * 60 + two_digits(value + 14)) * 60 + two_digits(value + 17);
    static const int days_until_2000 = 730425;
    int64_t microseconds = ((days - days_until_2000) * INT64_C(86400) + time) * 1000000;
    int scale = 1000000;
    if (value[19] == '.')
        for (const char *digit = value + 20; *digit >= '0' && *digit <= '9'; digit++)
            microseconds += (*digit - '0') * (scale /= 10);
    return microseconds;
}

// The sum of the name's length, the score and the time, from this column on.
static int64_t decode_item(const PGresult *result, int row, int column) {
    const char *score = PQgetvalue(result, row, column + 1), *changed_at = PQgetvalue(result, row, column + 2);
    return PQgetlength(result, row, column) + (text ? strtoll(score, NULL, 10) : decode_int8(score)) +
           (text ? parse_timestamp(changed_at) : decode_int8(changed_at));
}

static void decode_only_item(Worker *worker, PGresult *result) {
    if (PQntuples(result) != 1) fail(workload->name, "not exactly one row");
    worker->decoded ^= decode_item(result, 0, 0);
    PQclear(result);
}

// ---------------------------------------------------------------- workloads

static int64_t random_id(Worker *worker) { // xorshift64*
    worker->random ^= worker->random >> 12;
    worker->random ^= worker->random << 25;
    worker->random ^= worker->random >> 27;
    return 1 + (int64_t)((worker->random * UINT64_C(2685821657736338717) >> 33) % ITEMS);
}

static void read_point(Worker *worker) {
    uint64_t id = htobe64((uint64_t)random_id(worker));
    decode_only_item(worker, execute(worker, "item", &id, sizeof id, PGRES_TUPLES_OK));
}

static void read_as_tenant(Worker *worker) {
    int64_t number = random_id(worker);
    uint64_t id = htobe64((uint64_t)number);
    char tenant[8];
    int length = snprintf(tenant, sizeof tenant, "%d", (int)(number % TENANTS));

    if (pipelined) {
        send(worker, "begin", NULL, 0);
        send(worker, "set_tenant", tenant, length);
        send(worker, "item", &id, sizeof id);
        send(worker, "commit", NULL, 0);
        if (!PQpipelineSync(worker->connection)) fail("sync", PQerrorMessage(worker->connection));
        PQclear(receive(worker, PGRES_COMMAND_OK));
        PQclear(receive(worker, PGRES_TUPLES_OK));
        decode_only_item(worker, receive(worker, PGRES_TUPLES_OK));
        PQclear(receive(worker, PGRES_COMMAND_OK));
        PQclear(expect(worker, PQgetResult(worker->connection), PGRES_PIPELINE_SYNC));
    } else {
        command(worker, "begin");
        PQclear(execute(worker, "set_tenant", tenant, length, PGRES_TUPLES_OK));
        decode_only_item(worker, execute(worker, "item", &id, sizeof id, PGRES_TUPLES_OK));
        command(worker, "commit");
    }
}

static void read_rows(Worker *worker) {
    send(worker, "rows", NULL, 0);
    if (single_row && !PQsetSingleRowMode(worker->connection)) fail("rows", "no single-row mode");
    int64_t checksum = 0;
    for (PGresult *result; (result = PQgetResult(worker->connection)) != NULL; PQclear(result)) {
        int rows = PQntuples(result);
        // In single-row mode an empty result follows the rows.
        expect(worker, result, single_row && rows > 0 ? PGRES_SINGLE_TUPLE : PGRES_TUPLES_OK);
        for (int row = 0; row < rows; row++) {
            const char *id = PQgetvalue(result, row, 0);
            checksum ^= (text ? strtoll(id, NULL, 10) : decode_int8(id)) + decode_item(result, row, 1);
        }
    }
    if (checksum != expected_checksum) fail("rows", "decoded something else than the server has");
    worker->decoded ^= checksum;
}

static char *append(char *end, const void *bytes, size_t count) {
    memcpy(end, bytes, count);
    return end + count;
}

static char *append_field(char *end, const void *bytes, int length) {
    uint32_t prefix = htobe32((uint32_t)length);
    return append(append(end, &prefix, sizeof prefix), bytes, (size_t)length);
}

static char *append_int8_field(char *end, int64_t number) {
    uint64_t bytes = htobe64((uint64_t)number);
    return append_field(end, &bytes, sizeof bytes);
}

static void put(Worker *worker, const char *start, const char *end) {
    if (PQputCopyData(worker->connection, start, (int)(end - start)) != 1)
        fail("copy", PQerrorMessage(worker->connection));
}

static void copy_rows(Worker *worker) {
    static const char header[19] = "PGCOPY\n\377\r\n"; // the zeros: no flags, no extension
    static const char trailer[2] = {-1, -1};
    const uint16_t fields = htobe16(4);
    char buffer[32768], *end = append(buffer, header, sizeof header);

    command(worker, "begin");
    command(worker, "truncate");
    PQclear(expect(worker, PQexec(worker->connection, "COPY bench.target FROM STDIN (FORMAT binary)"),
                   PGRES_COPY_IN));
    for (const Item *item = items_to_copy; item < items_to_copy + COPIED_ROWS; item++) {
        if (buffer + sizeof buffer - end < 128) { // a row takes at most 74 bytes
            put(worker, buffer, end);
            end = buffer;
        }
        end = append(end, &fields, sizeof fields);
        end = append_int8_field(end, item->id);
        end = append_field(end, item->name, item->name_length);
        end = append_int8_field(end, item->score);
        end = append_int8_field(end, item->changed_at);
    }
    put(worker, buffer, append(end, trailer, sizeof trailer));
    if (PQputCopyEnd(worker->connection, NULL) != 1) fail("copy", PQerrorMessage(worker->connection));
    PGresult *result = receive(worker, PGRES_COMMAND_OK);
    if (atoi(PQcmdTuples(result)) != COPIED_ROWS) fail("copy", PQcmdStatus(result));
    PQclear(result);
    command(worker, "commit");
}

static const Workload workloads[] = {
    {"point", read_point, 0,
     {{"item", "select name, score, changed_at from bench.point where id = $1"}}},
    {"tenant", read_as_tenant, 0,
     {{"begin", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"},
      {"set_tenant", "select set_config('bench.tenant', $1, true)"},
      {"item", "select name, score, changed_at from bench.item where id = $1"},
      {"commit", "COMMIT"}}},
    {"rows", read_rows, ITEMS,
     {{"rows", "select id, name, score, changed_at from bench.point"},
      {"checksum", "select bit_xor(id + octet_length(name) + score + (1000000 * extract(epoch from "
                   "changed_at - timestamptz '2000-01-01 00:00:00+00'))::int8)::text from bench.point"}}},
    {"copy", copy_rows, COPIED_ROWS,
     {{"begin", "BEGIN"}, {"truncate", "TRUNCATE bench.target"}, {"commit", "COMMIT"}}},
};

static void set_up(Worker *worker) {
    worker->connection = PQconnectdb(url);
    if (PQstatus(worker->connection) != CONNECTION_OK) fail(url, PQerrorMessage(worker->connection));
    PQclear(expect(worker, PQexec(worker->connection, "set time zone 'UTC'"), PGRES_COMMAND_OK));
    for (int i = 0; i < 4 && workload->statements[i].name; i++)
        PQclear(expect(worker, PQprepare(worker->connection, workload->statements[i].name,
                                         workload->statements[i].sql, 0, NULL), PGRES_COMMAND_OK));
    if (workload->operation == read_rows) {
        PGresult *result = execute(worker, "checksum", NULL, 0, PGRES_TUPLES_OK);
        expected_checksum = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
        PQclear(result);
    }
    if (pipelined && !PQenterPipelineMode(worker->connection)) fail("tenant", "no pipeline mode");
}

// -------------------------------------------------------------- measurement

static int64_t now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

static double cpu_us(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static void record(Worker *worker, int64_t latency) {
    if (worker->count == worker->capacity) {
        worker->capacity = worker->capacity ? worker->capacity * 2 : 65536;
        worker->latencies = realloc(worker->latencies, worker->capacity * sizeof *worker->latencies);
        if (!worker->latencies) fail("latencies", "out of memory");
    }
    worker->latencies[worker->count++] = latency;
}

static void repeat(Worker *worker, double duration) {
    int64_t start = now_ns(), deadline = start + (int64_t)(duration * 1e9);
    while (start < deadline) {
        workload->operation(worker);
        int64_t end = now_ns();
        record(worker, end - start);
        start = end;
    }
}

static void *work(void *argument) {
    Worker *worker = argument;
    repeat(worker, WARM_UP_SECONDS);
    worker->count = 0;
    pthread_barrier_wait(&phase); // all are warm
    pthread_barrier_wait(&phase); // the main thread has read the clocks
    repeat(worker, seconds);
    return NULL;
}

static int compare(const void *left, const void *right) {
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

static void parse(int count, char **arguments) {
    bool valid = count > 1;
    for (size_t i = 0; valid && i < sizeof workloads / sizeof *workloads; i++)
        if (strcmp(arguments[1], workloads[i].name) == 0) workload = &workloads[i];
    for (int i = 2; i < count; i++) {
        const char *name = arguments[i], *value = i + 1 < count ? arguments[i + 1] : "";
        if (strcmp(name, "--connections") == 0) connections = atoi(value), i++;
        else if (strcmp(name, "--seconds") == 0) seconds = atof(value), i++;
        else if (strcmp(name, "--url") == 0) url = value, i++;
        else if (strcmp(name, "--pipeline") == 0) pipelined = true, client = "libpq pipelined";
        else if (strcmp(name, "--single-row") == 0) single_row = true, client = "libpq single-row";
        else if (strcmp(name, "--text") == 0) text = true, client = "libpq text";
        else valid = false;
    }
    if (!valid || !workload || !url || connections < 1 || seconds <= 0 || (single_row && text) ||
        (pipelined && workload->operation != read_as_tenant) ||
        ((single_row || text) && workload->operation != read_rows))
        fail("usage", "libpq point | tenant [--pipeline] | rows [--single-row | --text] | copy "
                      "--connections N --seconds S --url CONNINFO");
}

int main(int count, char **arguments) {
    parse(count, arguments);
    for (int i = 0; i < COPIED_ROWS; i++) {
        Item *item = &items_to_copy[i];
        *item = (Item){.id = i + 1, .score = i * INT64_C(7919) % 1000003, .changed_at = i * INT64_C(1000001)};
        item->name_length = snprintf(item->name, sizeof item->name, "item number %d", i + 1);
    }
    Worker *workers = calloc((size_t)connections, sizeof *workers);
    if (!workers) fail("workers", "out of memory");
    pthread_barrier_init(&phase, NULL, (unsigned)connections + 1);
    for (int i = 0; i < connections; i++) {
        workers[i].random = UINT64_C(88172645463325252) + (uint64_t)i * UINT64_C(2654435769);
        set_up(&workers[i]);
    }
    for (int i = 0; i < connections; i++)
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0) fail("workers", "no thread");

    pthread_barrier_wait(&phase);
    double cpu = cpu_us();
    int64_t start = now_ns();
    pthread_barrier_wait(&phase);
    for (int i = 0; i < connections; i++) pthread_join(workers[i].thread, NULL);
    double elapsed = (double)(now_ns() - start) / 1e9;
    cpu = cpu_us() - cpu;

    Worker all = {0};
    for (int i = 0; i < connections; i++)
        for (size_t j = 0; j < workers[i].count; j++) record(&all, workers[i].latencies[j]);
    qsort(all.latencies, all.count, sizeof *all.latencies, compare);
    printf("{\"client\": \"%s\", \"workload\": \"%s\", \"tasks\": %d, \"connections\": %d, "
           "\"ops_per_s\": %.2f, \"p50_us\": %.2f, \"p99_us\": %.2f, \"cpu_us_per_op\": %.3f, \"unit\": \"op\"",
           client, workload->name, connections, connections, (double)all.count / elapsed,
           (double)all.latencies[(all.count - 1) / 2] / 1000,
           (double)all.latencies[(all.count - 1) * 99 / 100] / 1000, cpu / (double)all.count);
    if (workload->rows_per_op) printf(", \"rows_per_op\": %d", workload->rows_per_op);
    puts("}");
    for (int i = 0; i < connections; i++) PQfinish(workers[i].connection);
}
