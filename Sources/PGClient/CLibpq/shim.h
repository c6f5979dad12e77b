#pragma once
#include <libpq-fe.h>
#ifdef __linux__
// Not in the C library's own module.
#include <sys/epoll.h>
#include <sys/eventfd.h>
#endif
