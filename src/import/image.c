#include "import/image.h"

static const struct {
    const char *word;
    const char *engine;
    enum node_kind kind;
} products[] = {
    {"postgres", "postgres", NODE_DATASTORE},
    {"postgresql", "postgres", NODE_DATASTORE},
    {"postgis", "postgres", NODE_DATASTORE},
    {"timescaledb", "postgres", NODE_DATASTORE},
    {"pgvector", "postgres", NODE_DATASTORE},
    {"mysql", "mysql", NODE_DATASTORE},
    {"mariadb", "mariadb", NODE_DATASTORE},
    {"mongo", "mongo", NODE_DATASTORE},
    {"mongodb", "mongo", NODE_DATASTORE},
    {"redis", "redis", NODE_DATASTORE},
    {"valkey", "redis", NODE_DATASTORE},
    {"memcached", "memcached", NODE_DATASTORE},
    {"elasticsearch", "elasticsearch", NODE_DATASTORE},
    {"opensearch", "opensearch", NODE_DATASTORE},
    {"cassandra", "cassandra", NODE_DATASTORE},
    {"etcd", "etcd", NODE_DATASTORE},
    {"clickhouse", "clickhouse", NODE_DATASTORE},
    {"kafka", "kafka", NODE_QUEUE},
    {"rabbitmq", "rabbitmq", NODE_QUEUE},
    {"nats", "nats", NODE_QUEUE},
    {"activemq", "activemq", NODE_QUEUE},
    {"pulsar", "pulsar", NODE_QUEUE},
};

/* Words beside a product's that leave it what it is. */
static const char *const harmless[] = {"cp",        "server",     "cluster", "stack", "oss",       "sharded", "repmgr", "all",
                                       "community", "enterprise", "artemis", "ha",    "streaming", "galera",  "alpine", "debian",
                                       "official",  "native",     "classic", "db",    "image",     "kraft"};

/* The name alone: no registry, no path, no tag, no digest. */
static struct str name_of(struct str image)
{
    image = str_slice(image, 0, str_find(image, '@'));
    for (size_t slash = str_find(image, '/'); slash < image.len; slash = str_find(image, '/')) {
        image = str_slice(image, slash + 1, image.len);
    }
    return str_slice(image, 0, str_find(image, ':'));
}

static bool is_harmless(struct str word)
{
    for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++) {
        if (str_eq(word, str_from(harmless[i]))) {
            return true;
        }
    }
    return word.len > 0 && word.ptr[0] >= '0' && word.ptr[0] <= '9';
}

static size_t product_of(struct str word)
{
    size_t i = 0;
    while (i < sizeof products / sizeof *products && !str_eq(word, str_from(products[i].word))) {
        i++;
    }
    return i;
}

enum node_kind image_kind(struct str image, struct str *ret_engine)
{
    const size_t none = sizeof products / sizeof *products;
    struct str rest = name_of(image);
    struct str word;
    size_t product = none;
    *ret_engine = STR("");
    while (str_next(&rest, '-', &word)) {
        size_t of_word = product_of(word);
        if (of_word == none && !is_harmless(word)) {
            return NODE_SERVICE;
        }
        product = of_word != none ? of_word : product;
    }
    if (product == none) {
        return NODE_SERVICE;
    }
    *ret_engine = str_from(products[product].engine);
    return products[product].kind;
}
