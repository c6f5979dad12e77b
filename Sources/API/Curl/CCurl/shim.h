#pragma once
#include <curl/curl.h>
#include <stdint.h>
#include <string.h>

// curl_easy_setopt is variadic, which Swift doesn't import; so one message is sent, and one answer fetched, from here.

typedef struct {
    const char *bytes;
    size_t left;
} bmc_body;

static inline size_t bmc_read(char *buffer, size_t size, size_t count, void *context) {
    bmc_body *body = context;
    size_t length = size * count < body->left ? size * count : body->left;
    memcpy(buffer, body->bytes, length);
    body->bytes += length;
    body->left -= length;
    return length;
}

// curl asks about once a second, also while it waits.
static inline int bmc_goes_on(void *stopped, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d) {
    (void)a, (void)b, (void)c, (void)d;
    return __atomic_load_n((int32_t *)stopped, __ATOMIC_RELAXED);
}

static inline void bmc_stop(int32_t *stopped) { __atomic_store_n(stopped, 1, __ATOMIC_RELAXED); }

static inline void bmc_prepare(void) { curl_global_init(CURL_GLOBAL_DEFAULT); }

// Gives one message to a mail server: blocks, for at most so many seconds, and as many again for
// its goodbye. `reply` is the code of the server's last answer, 0 without one. Addresses and message
// are checked before: curl passes line breaks on as they are.
static inline CURLcode bmc_send(
    const char *url, int demand_tls, const char *from, const char *to, const char *bytes, size_t length,
    long seconds, int32_t *stopped, long *reply
) {
    *reply = 0;
    CURL *curl = curl_easy_init();
    if (!curl) return CURLE_FAILED_INIT;
    bmc_body body = {bytes, length};
    struct curl_slist *recipients = curl_slist_append(NULL, to);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_USE_SSL, demand_tls ? (long)CURLUSESSL_ALL : (long)CURLUSESSL_TRY);
    curl_easy_setopt(curl, CURLOPT_MAIL_FROM, from);
    curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, recipients);
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, bmc_read);
    curl_easy_setopt(curl, CURLOPT_READDATA, &body);
    curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)length);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, seconds);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, seconds);
    // Kept open, a connection is closed later and by its own rules: it waits two minutes for a
    // goodbye, whatever the deadline is and whoever wants it to stop.
    curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(curl, CURLOPT_SERVER_RESPONSE_TIMEOUT, seconds);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, bmc_goes_on);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, stopped);
    CURLcode result = recipients ? curl_easy_perform(curl) : CURLE_OUT_OF_MEMORY;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, reply);
    curl_slist_free_all(recipients);
    curl_easy_cleanup(curl);
    return result;
}

typedef struct {
    char *bytes;
    size_t length, capacity;
} bmc_answer;

// What doesn't fit ends the transfer.
static inline size_t bmc_take(char *piece, size_t size, size_t count, void *context) {
    bmc_answer *answer = context;
    if (size * count > answer->capacity - answer->length) return 0;
    memcpy(answer->bytes + answer->length, piece, size * count);
    answer->length += size * count;
    return size * count;
}

// Asks for one address, with a form where there is one: blocks, for at most so many seconds. Nowhere
// else is gone to than is said, so a redirect is an answer like any other.
static inline CURLcode bmc_fetch(
    const char *url, int demand_tls, const char *form, char *bytes, size_t capacity, long seconds,
    int32_t *stopped, size_t *length, long *status
) {
    *length = 0;
    *status = 0;
    CURL *curl = curl_easy_init();
    if (!curl) return CURLE_FAILED_INIT;
    bmc_answer answer = {bytes, 0, capacity};
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, demand_tls ? "https" : "http,https");
    if (form) curl_easy_setopt(curl, CURLOPT_POSTFIELDS, form);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, bmc_take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, seconds);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, seconds);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, bmc_goes_on);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, stopped);
    CURLcode result = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, status);
    curl_easy_cleanup(curl);
    *length = answer.length;
    return result;
}
