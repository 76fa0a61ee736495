/*
 * import/hosts - words of a text that may be another's address.
 *
 * A word is told when it stands where a host stands: in a URL, before a port, with dots in it, or alone as the value of a
 * name that speaks of addresses (DB_HOST=orders-db, `endpoint: cart`, "--broker=kafka"). Whether there is such a host is for
 * the caller to know: what is told here is a guess, and only what matches a declared name becomes an edge. Users, passwords
 * and paths of URLs are no hosts. Pure.
 */
#ifndef IMPORT_HOSTS_H
#define IMPORT_HOSTS_H

#include "base/str.h"

enum { HOST_MAX = 253 }; /* bytes of a name. Source: RFC 1035 section 2.3.4 */

typedef void (*host_fn)(void *context, struct str host);

/* key: the name whose value the text is; may be empty. */
void hosts_in(struct str key, struct str text, host_fn fn, void *context);

#endif
