#pragma once
#include <dlfcn.h>
#include <stdint.h>
#include <libpq-fe.h>

#ifdef __linux__
#include <sys/epoll.h>
#include <sys/eventfd.h>
#endif
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

// Field codes of an error, which libpq defines as character literals that Swift doesn't import.
enum {
    PGC_SEVERITY = PG_DIAG_SEVERITY_NONLOCALIZED,
    PGC_SQLSTATE = PG_DIAG_SQLSTATE,
    PGC_MESSAGE = PG_DIAG_MESSAGE_PRIMARY,
    PGC_DETAIL = PG_DIAG_MESSAGE_DETAIL,
    PGC_HINT = PG_DIAG_MESSAGE_HINT,
    PGC_CONTEXT = PG_DIAG_CONTEXT,
    PGC_SCHEMA = PG_DIAG_SCHEMA_NAME,
    PGC_TABLE = PG_DIAG_TABLE_NAME,
    PGC_COLUMN = PG_DIAG_COLUMN_NAME,
    PGC_CONSTRAINT = PG_DIAG_CONSTRAINT_NAME,
};

// Bytes that OpenSSL has decrypted and libpq hasn't read: the socket doesn't become readable for
// them. -1 when TLS is in use and can't be asked. The symbol is looked up in what libpq itself
// has loaded, so that a libpq without OpenSSL links too.
static inline int pgc_tls_pending(PGconn *connection) {
    if (!PQsslInUse(connection)) return 0;
    void *session = PQsslStruct(connection, "OpenSSL");
    static int (*pending)(const void *);
    if (!pending) pending = (int (*)(const void *))dlsym(dlopen(NULL, RTLD_LAZY), "SSL_pending");
    return session && pending ? pending(session) : -1;
}

// Another number for the same socket, which stays ours when libpq closes its own; -1 when there is
// none left.
static inline int pgc_duplicate(int socket) { return fcntl(socket, F_DUPFD_CLOEXEC, 0); }
static inline void pgc_close(int socket) { close(socket); }

// Bytes that wait in the kernel for this socket; 0 when it can't tell.
static inline int pgc_socket_pending(int socket) {
    int count = 0;
    return ioctl(socket, FIONREAD, &count) == 0 ? count : 0;
}
