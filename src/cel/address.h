/*
 * cel/address - IP addresses and networks as text; for this folder.
 */
#ifndef CEL_ADDRESS_H
#define CEL_ADDRESS_H

#include "cel/machine.h"

bool address_parse(struct str s, struct cel_address *ret);
bool network_parse(struct str s, struct cel_address *ret);
/* With the bits beyond the prefix zero. */
struct cel_address address_masked(const struct cel_address *a);
/* An IPv4 address that is written as IPv6 (::ffff:0:0/96) as what it is; the prefix stays. */
struct cel_address address_plain(const struct cel_address *a);

#endif
