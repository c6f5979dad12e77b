#include "CDomains.h"
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <libpsl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdlib.h>
#include <string.h>

int bmd_texts(const char *name, const char *server, uint16_t port, char *texts, int size) {
    struct __res_state state;
    memset(&state, 0, sizeof state);
    if (res_ninit(&state) != 0) return bmd_unanswered;
    state.retrans = 2;
    state.retry = 2;
    state.options |= RES_USE_EDNS0;
    struct sockaddr_in6 server6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    if (server && inet_pton(AF_INET6, server, &server6.sin6_addr) == 1) {
        // A server without an IPv4 address stands beside the list, as one that res_ninit reads from a file does.
        struct sockaddr_in6 *kept = malloc(sizeof *kept);
        if (!kept) {
            res_nclose(&state);
            return bmd_unanswered;
        }
        *kept = server6;
        free(state._u._ext.nsaddrs[0]);
        state._u._ext.nsaddrs[0] = kept;
        state.nsaddr_list[0].sin_family = 0;
        state.nscount = 1;
    } else if (server) {
        state.nsaddr_list[0].sin_family = AF_INET;
        state.nsaddr_list[0].sin_port = htons(port);
        inet_pton(AF_INET, server, &state.nsaddr_list[0].sin_addr);
        state.nscount = 1;
    }
    static _Thread_local unsigned char answer[65535];
    int length = res_nquery(&state, name, ns_c_in, ns_t_txt, answer, sizeof answer);
    int why = state.res_h_errno;
    res_nclose(&state);
    if (length < 0) return why == HOST_NOT_FOUND || why == NO_DATA ? bmd_none : bmd_unanswered;

    ns_msg message;
    if (ns_initparse(answer, length, &message) != 0) return bmd_unanswered;
    int written = 0;
    for (int n = 0; n < ns_msg_count(message, ns_s_an); n++) {
        ns_rr record;
        // An alias comes with what it is an alias of.
        if (ns_parserr(&message, ns_s_an, n, &record) != 0) return bmd_unanswered;
        if (ns_rr_type(record) != ns_t_txt || ns_rr_class(record) != ns_c_in) continue;
        const unsigned char *at = ns_rr_rdata(record), *end = at + ns_rr_rdlen(record);
        while (at < end) {
            int part = *at++;
            if (part > end - at || written + part + 1 > size) return bmd_unanswered;
            memcpy(texts + written, at, part);
            written += part;
            at += part;
        }
        if (written + 1 > size) return bmd_unanswered;
        texts[written++] = 0;
    }
    return written ? written : bmd_none;
}

int bmd_is_public_suffix(const char *domain) {
    psl_ctx_t *list = psl_latest(NULL);
    int is = psl_is_public_suffix(list ? list : psl_builtin(), domain);
    psl_free(list);
    return is;
}

#pragma clang diagnostic ignored "-Wc23-extensions"
static const char public_mail_domains[] = {
#embed "public-mail-domains.txt"
    , 0
};

const char *bmd_public_mail_domains(void) { return public_mail_domains; }
