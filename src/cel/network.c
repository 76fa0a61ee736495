/* The network extension: ip(), cidr() and what can be asked of them. Source: cel-spec's
 * network_ext. */
#include "cel/address.h"
#include "cel/functions.h"

#include <string.h>

static void boxed(struct machine *m, const struct cel_node *n, enum cel_kind kind,
                  const struct cel_address *a, struct cel_value *ret)
{
    struct cel_address *box = machine_alloc(m, 1, sizeof *box);
    if (box == NULL) {
        fault_set(m, n, ret, "");
        return;
    }
    *box = *a;
    *ret = (struct cel_value){.kind = (uint8_t)kind, .address = box};
}

static void parse_fail(struct machine *m, const struct cel_node *n, const char *what,
                       struct cel_value *ret)
{
    fault_format(m, n, ret, "%s parse error during conversion from string", what);
}

static void ip(struct machine *m, const struct cel_node *n, struct cel_value *args,
               struct cel_value *ret)
{
    struct cel_address a;
    if (!address_parse(cel_text(&args[0]), &a)) {
        parse_fail(m, n, "IP address", ret);
    } else {
        boxed(m, n, CEL_IP, &a, ret);
    }
}

static void cidr(struct machine *m, const struct cel_node *n, struct cel_value *args,
                 struct cel_value *ret)
{
    struct cel_address a;
    if (!network_parse(cel_text(&args[0]), &a)) {
        parse_fail(m, n, "network address", ret);
    } else {
        boxed(m, n, CEL_CIDR, &a, ret);
    }
}

static void is_ip(struct machine *m, const struct cel_node *n, struct cel_value *args,
                  struct cel_value *ret)
{
    (void)m;
    (void)n;
    struct cel_address a;
    *ret = cel_of_bool(address_parse(cel_text(&args[0]), &a));
}

static void is_cidr(struct machine *m, const struct cel_node *n, struct cel_value *args,
                    struct cel_value *ret)
{
    (void)m;
    (void)n;
    struct cel_address a;
    *ret = cel_of_bool(network_parse(cel_text(&args[0]), &a));
}

static void is_canonical(struct machine *m, const struct cel_node *n, struct cel_value *args,
                         struct cel_value *ret)
{
    struct cel_address a;
    char room[CEL_SCALAR_MAX];
    struct buf b = buf_over(room, sizeof room);
    if (!address_parse(cel_text(&args[0]), &a)) {
        parse_fail(m, n, "IP address", ret);
        return;
    }
    struct cel_value v = {.kind = CEL_IP, .address = &a};
    buf_address(&b, &v);
    *ret = cel_of_bool(str_eq(buf_view(&b), cel_text(&args[0])));
}

static bool all_zero(const struct cel_address *a, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++) {
        if (a->bytes[i] != 0) {
            return false;
        }
    }
    return true;
}

static bool unspecified(const struct cel_address *a)
{
    return all_zero(a, 0, a->family == 4 ? 4 : 16);
}

static bool loopback(const struct cel_address *a)
{
    return a->family == 4 ? a->bytes[0] == 127 : all_zero(a, 0, 15) && a->bytes[15] == 1;
}

static bool multicast(const struct cel_address *a)
{
    return a->family == 4 ? (a->bytes[0] & 0xF0) == 0xE0 : a->bytes[0] == 0xFF;
}

static bool link_local_multicast(const struct cel_address *a)
{
    return a->family == 4 ? a->bytes[0] == 224 && a->bytes[1] == 0 && a->bytes[2] == 0
                          : a->bytes[0] == 0xFF && (a->bytes[1] & 0x0F) == 2;
}

static bool link_local_unicast(const struct cel_address *a)
{
    return a->family == 4 ? a->bytes[0] == 169 && a->bytes[1] == 254
                          : a->bytes[0] == 0xFE && (a->bytes[1] & 0xC0) == 0x80;
}

static bool global_unicast(const struct cel_address *a)
{
    static const uint8_t broadcast[4] = {255, 255, 255, 255};
    return !unspecified(a) && !loopback(a) && !multicast(a) && !link_local_unicast(a) &&
           (a->family == 6 || memcmp(a->bytes, broadcast, 4) != 0);
}

#define ADDRESS_TEST(function, test)                                                               \
    static void function(struct machine *m, const struct cel_node *n, struct cel_value *args,      \
                         struct cel_value *ret)                                                    \
    {                                                                                              \
        (void)m;                                                                                   \
        (void)n;                                                                                   \
        struct cel_address a = address_plain(args[0].address);                                     \
        *ret = cel_of_bool(test(&a));                                                              \
    }

ADDRESS_TEST(is_unspecified, unspecified)
ADDRESS_TEST(is_loopback, loopback)
ADDRESS_TEST(is_link_local_multicast, link_local_multicast)
ADDRESS_TEST(is_link_local_unicast, link_local_unicast)
ADDRESS_TEST(is_global_unicast, global_unicast)

static void family(struct machine *m, const struct cel_node *n, struct cel_value *args,
                   struct cel_value *ret)
{
    (void)m;
    (void)n;
    *ret = cel_of_int(args[0].address->family);
}

static bool covers(const struct cel_address *network, const struct cel_address *a)
{
    struct cel_address x = address_masked(network);
    struct cel_address y = *a;
    y.prefix = network->prefix;
    y = address_masked(&y);
    return network->family == a->family && memcmp(x.bytes, y.bytes, sizeof x.bytes) == 0;
}

static void contains_ip(struct machine *m, const struct cel_node *n, struct cel_value *args,
                        struct cel_value *ret)
{
    struct cel_address a;
    if (args[1].kind == CEL_IP) {
        a = *args[1].address;
    } else if (!address_parse(cel_text(&args[1]), &a)) {
        parse_fail(m, n, "IP address", ret);
        return;
    }
    *ret = cel_of_bool(covers(args[0].address, &a));
}

static void contains_cidr(struct machine *m, const struct cel_node *n, struct cel_value *args,
                          struct cel_value *ret)
{
    struct cel_address a;
    if (args[1].kind == CEL_CIDR) {
        a = *args[1].address;
    } else if (!network_parse(cel_text(&args[1]), &a)) {
        parse_fail(m, n, "network address", ret);
        return;
    }
    *ret = cel_of_bool(a.prefix >= args[0].address->prefix && covers(args[0].address, &a));
}

static void ip_of(struct machine *m, const struct cel_node *n, struct cel_value *args,
                  struct cel_value *ret)
{
    struct cel_address a = *args[0].address;
    a.prefix = a.family == 4 ? 32 : 128;
    boxed(m, n, CEL_IP, &a, ret);
}

static void masked(struct machine *m, const struct cel_node *n, struct cel_value *args,
                   struct cel_value *ret)
{
    struct cel_address a = address_masked(args[0].address);
    boxed(m, n, CEL_CIDR, &a, ret);
}

static void prefix_length(struct machine *m, const struct cel_node *n, struct cel_value *args,
                          struct cel_value *ret)
{
    (void)m;
    (void)n;
    *ret = cel_of_int(args[0].address->prefix);
}

const struct cel_function cel_network_functions[] = {
    FUNCTION("ip", "s", "p", ip),
    FUNCTION("cidr", "s", "c", cidr),
    FUNCTION("isIP", "s", "b", is_ip),
    FUNCTION("isCIDR", "s", "b", is_cidr),
    FUNCTION("ip.isCanonical", "s", "b", is_canonical),
    METHOD("family", "p", "i", family),
    METHOD("isUnspecified", "p", "b", is_unspecified),
    METHOD("isLoopback", "p", "b", is_loopback),
    METHOD("isGlobalUnicast", "p", "b", is_global_unicast),
    METHOD("isLinkLocalMulticast", "p", "b", is_link_local_multicast),
    METHOD("isLinkLocalUnicast", "p", "b", is_link_local_unicast),
    METHOD("containsIP", "cp", "b", contains_ip),
    METHOD("containsIP", "cs", "b", contains_ip),
    METHOD("containsCIDR", "cc", "b", contains_cidr),
    METHOD("containsCIDR", "cs", "b", contains_cidr),
    METHOD("ip", "c", "p", ip_of),
    METHOD("masked", "c", "c", masked),
    METHOD("prefixLength", "c", "i", prefix_length),
    FUNCTIONS_END,
};
