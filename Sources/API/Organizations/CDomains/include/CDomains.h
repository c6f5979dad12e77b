#pragma once
#include <stdint.h>

// The resolver of the C library: its state is a struct of bit fields and its parser a set of macros, which
// Swift doesn't import; so a name is looked up from here.

enum { bmd_none = -1, bmd_unanswered = -2 };

// The texts of a name's TXT records, each with a NUL behind it; the strings of one record are joined, as they
// are one text cut to pieces (RFC 1035 §3.3.14). Returns how many bytes they are, bmd_none where the name is
// answered for and has none, bmd_unanswered where nobody knows. Asks `server`, an IP address, or, where that is
// NULL, whom /etc/resolv.conf names. Blocks, for about ten seconds at most for each of them.
int bmd_texts(const char *name, const char *server, uint16_t port, char *texts, int size);

// Whether everybody can have a name under it, by the newest public suffix list on this machine.
int bmd_is_public_suffix(const char *domain);

// The file public-mail-domains.txt, in the program itself.
const char *bmd_public_mail_domains(void);
