/* ledger: published roots and proofs, every small size by brute force, notes, paths, receipts. */
#include "base/encode.h"
#include "ledger/ledger.h"
#include "ledger/note.h"

#include "check.h"

enum { LEAVES_MAX = 65536 + 300 };

/* A log in memory that keeps what a store keeps: leaf hashes, and full tiles of higher levels. */
struct log_in_memory {
    struct tree tree;
    struct digest *levels[3];
    uint64_t size;
};

static void keep_tile(void *context, const struct tile *full)
{
    struct log_in_memory *log = context;
    assert_in_range(full->level, 0, 2);
    for (unsigned i = 0; i < TILE_WIDTH && full->level > 0; i++) {
        struct digest *kept = &log->levels[full->level][full->index * TILE_WIDTH + i];
        assert_memory_equal(kept, &full->hashes[i], SHA256_LEN);
    }
    /* What a reader of a partial tile would compute, the tree must have used as well. */
    struct digest row[TILE_WIDTH];
    memcpy(row, full->hashes, sizeof row);
    for (unsigned n = TILE_WIDTH; n > 1; n /= 2) {
        for (unsigned i = 0; i < n / 2; i++) {
            row[i] = ledger_node_hash(&row[2 * i], &row[2 * i + 1]);
        }
    }
    assert_memory_equal(&full->root, &row[0], SHA256_LEN);
    if (full->level < 2) {
        log->levels[full->level + 1][full->index] = row[0];
    }
}

static void log_append(struct log_in_memory *log, struct digest leaf)
{
    log->levels[0][log->size++] = leaf;
    tree_append(&log->tree, &leaf, keep_tile, log);
}

static struct log_in_memory *log_new(void)
{
    struct log_in_memory *log = calloc(1, sizeof *log);
    assert_non_null(log);
    tree_init(&log->tree);
    for (int i = 0; i < 3; i++) {
        log->levels[i] = calloc(LEAVES_MAX, sizeof *log->levels[i]);
        assert_non_null(log->levels[i]);
    }
    return log;
}

static void log_free(struct log_in_memory *log)
{
    for (int i = 0; i < 3; i++) {
        free(log->levels[i]);
    }
    free(log);
}

static enum rc read_tile(void *context, unsigned level, uint64_t index, unsigned count, struct digest *hashes,
                         struct err *e)
{
    const struct log_in_memory *log = context;
    uint64_t have = level < 3 ? log->size >> (8 * level) : 0;
    if (index * TILE_WIDTH + count > have) {
        return err_set(e, RC_NOT_FOUND, "no such tile");
    }
    memcpy(hashes, &log->levels[level][index * TILE_WIDTH], count * sizeof *hashes);
    return RC_OK;
}

static struct digest leaf_of(uint64_t n)
{
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)n);
    return ledger_leaf_hash(str_from(text));
}

/* RFC 6962 word for word, to check the clever ways against. */
static struct digest plain_root(const struct digest *leaves, uint64_t n)
{
    if (n == 1) {
        return leaves[0];
    }
    uint64_t k = 1;
    while (k * 2 < n) {
        k *= 2;
    }
    struct digest left = plain_root(leaves, k);
    struct digest right = plain_root(leaves + k, n - k);
    return ledger_node_hash(&left, &right);
}

static void assert_digest(struct digest got, const char *want)
{
    char text[2 * SHA256_LEN];
    hex_encode(got.bytes, sizeof got.bytes, text);
    assert_str(((struct str){text, sizeof text}), want);
}

static const char *const known_roots[] = {
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
};

static struct log_in_memory *known_log(void)
{
    static const char *const leaves[] = {"", "00", "10", "2021", "3031", "40414243", "5051525354555657",
                                         "606162636465666768696a6b6c6d6e6f"};
    struct log_in_memory *log = log_new();
    for (size_t i = 0; i < 8; i++) {
        uint8_t bytes[16];
        struct str hex = str_from(leaves[i]);
        assert_true(hex_decode(hex, bytes, hex.len / 2));
        assert_digest(tree_root(&log->tree), known_roots[i]);
        log_append(log, ledger_leaf_hash((struct str){(const char *)bytes, hex.len / 2}));
    }
    return log;
}

static void known_roots_and_proofs(void **state)
{
    (void)state;
    struct log_in_memory *log = known_log();
    assert_digest(tree_root(&log->tree), known_roots[8]);
    for (uint64_t n = 0; n <= 8; n++) {
        struct digest root;
        assert_int_equal(tiles_root(read_tile, log, n, &root, NULL), RC_OK);
        assert_digest(root, known_roots[n]);
    }
    struct proof p;
    assert_int_equal(tiles_inclusion(read_tile, log, 5, 8, &p, NULL), RC_OK);
    assert_int_equal(p.count, 3);
    assert_digest(p.hashes[0], "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b");
    assert_digest(p.hashes[1], "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0");
    assert_digest(p.hashes[2], known_roots[4]);
    assert_int_equal(tiles_consistency(read_tile, log, 6, 8, &p, NULL), RC_OK);
    assert_int_equal(p.count, 3);
    assert_digest(p.hashes[0], "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a");
    assert_digest(p.hashes[1], "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0");
    assert_digest(p.hashes[2], known_roots[4]);
    assert_int_equal(tiles_consistency(read_tile, log, 3, 7, &p, NULL), RC_OK);
    assert_int_equal(p.count, 4);
    assert_digest(p.hashes[0], "0298d122906dcfc10892cb53a73992fc5b9f493ea4c9badb27b791b4127a7fe7");
    assert_digest(p.hashes[1], "07506a85fd9dd2f120eb694f86011e5bb4662e5c415a62917033d4a9624487e7");
    assert_digest(p.hashes[2], known_roots[2]);
    assert_digest(p.hashes[3], "837dbb152e9b079010717e84e865da4ebc0fa198a806d59d31bf15accef22d0e");
    log_free(log);
}

/* One inclusion proof, and every way of spoiling it. */
static void check_inclusion(struct log_in_memory *log, uint64_t index, uint64_t size, const struct digest *root)
{
    struct proof p;
    assert_int_equal(tiles_inclusion(read_tile, log, index, size, &p, NULL), RC_OK);
    const struct digest *leaf = &log->levels[0][index];
    assert_true(proof_includes(&p, leaf, index, size, root));
    struct digest other = leaf_of(UINT64_MAX);
    assert_false(proof_includes(&p, &other, index, size, root));
    assert_false(proof_includes(&p, leaf, index + 1, size, root));
    assert_false(proof_includes(&p, leaf, index, size, &other));
    for (unsigned i = 0; i < p.count; i++) {
        p.hashes[i].bytes[3] ^= 0x40;
        assert_false(proof_includes(&p, leaf, index, size, root));
        p.hashes[i].bytes[3] ^= 0x40;
    }
    p.hashes[p.count] = other;
    p.count++;
    assert_false(proof_includes(&p, leaf, index, size, root));
    if (p.count >= 2) {
        p.count -= 2;
        assert_false(proof_includes(&p, leaf, index, size, root));
    }
}

static void check_consistency(struct log_in_memory *log, uint64_t old_size, uint64_t size,
                              const struct digest *old_root, const struct digest *root)
{
    struct proof p;
    assert_int_equal(tiles_consistency(read_tile, log, old_size, size, &p, NULL), RC_OK);
    assert_true(proof_extends(&p, old_size, old_root, size, root));
    struct digest other = leaf_of(UINT64_MAX);
    assert_false(proof_extends(&p, old_size, &other, size, root));
    assert_false(old_size > 0 && proof_extends(&p, old_size, old_root, size, &other));
    for (unsigned i = 0; i < p.count; i++) {
        p.hashes[i].bytes[31] ^= 1;
        assert_false(proof_extends(&p, old_size, old_root, size, root));
        p.hashes[i].bytes[31] ^= 1;
    }
    p.hashes[p.count] = other;
    p.count++;
    assert_false(proof_extends(&p, old_size, old_root, size, root));
}

static void every_small_size(void **state)
{
    (void)state;
    struct log_in_memory *log = log_new();
    enum { SIZES = 70 };
    struct digest roots[SIZES + 1] = {ledger_empty_root()};
    for (uint64_t n = 1; n <= SIZES; n++) {
        log_append(log, leaf_of(n));
        roots[n] = tree_root(&log->tree);
        struct digest plain = plain_root(log->levels[0], n);
        assert_memory_equal(&roots[n], &plain, SHA256_LEN);
        for (uint64_t i = 0; i < n; i++) {
            check_inclusion(log, i, n, &roots[n]);
        }
        for (uint64_t old = 0; old <= n; old++) {
            check_consistency(log, old, n, &roots[old], &roots[n]);
        }
    }
    log_free(log);
}

static void around_the_tiles(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {255, 256, 257, 511, 512, 513, 65279, 65280, 65535, 65536, 65537, 65792, 65836};
    enum { COUNT = sizeof sizes / sizeof *sizes };
    struct digest roots[COUNT];
    struct log_in_memory *log = log_new();
    for (size_t i = 0; i < COUNT; i++) {
        while (log->size < sizes[i]) {
            log_append(log, leaf_of(log->size));
        }
        roots[i] = tree_root(&log->tree);
        struct digest plain = plain_root(log->levels[0], sizes[i]);
        assert_memory_equal(&roots[i], &plain, SHA256_LEN);
    }
    for (size_t i = 0; i < COUNT; i++) {
        struct digest root;
        assert_int_equal(tiles_root(read_tile, log, sizes[i], &root, NULL), RC_OK);
        assert_memory_equal(&root, &roots[i], SHA256_LEN);
        const uint64_t places[] = {0, 1, 127, 254, sizes[i] / 2, sizes[i] - 2, sizes[i] - 1};
        for (size_t k = 0; k < sizeof places / sizeof *places; k++) {
            check_inclusion(log, places[k], sizes[i], &roots[i]);
        }
        for (size_t old = 0; old <= i; old++) {
            check_consistency(log, sizes[old], sizes[i], &roots[old], &roots[i]);
        }
    }
    log_free(log);
}

static enum rc no_tiles(void *context, unsigned level, uint64_t index, unsigned count, struct digest *hashes,
                        struct err *e)
{
    (void)context, (void)level, (void)index, (void)count, (void)hashes;
    return err_set(e, RC_NOT_FOUND, "gone");
}

static void proofs_that_can_not_be(void **state)
{
    (void)state;
    struct err e;
    struct proof p;
    struct digest d;
    assert_int_equal(tiles_inclusion(no_tiles, NULL, 8, 8, &p, &e), RC_NOT_FOUND);
    assert_string_equal(e.text, "entry 8 is not in a log of 8");
    assert_int_equal(tiles_consistency(no_tiles, NULL, 9, 8, &p, &e), RC_INVALID);
    assert_string_equal(e.text, "the old size 9 is beyond the log's 8");
    assert_int_equal(tiles_inclusion(no_tiles, NULL, 7, 8, &p, &e), RC_NOT_FOUND);
    assert_string_equal(e.text, "gone");
    assert_int_equal(tiles_consistency(no_tiles, NULL, 7, 8, &p, &e), RC_NOT_FOUND);
    assert_int_equal(tiles_root(no_tiles, NULL, 8, &d, &e), RC_NOT_FOUND);
    /* A hostile proof of the largest log ends by itself. */
    struct proof wide = {.count = TREE_HASHES_MAX};
    assert_false(proof_includes(&wide, &d, UINT64_MAX - 1, UINT64_MAX, &d));
    assert_false(proof_extends(&wide, UINT64_MAX - 1, &d, UINT64_MAX, &d));
    wide.count = TREE_HASHES_MAX + 1;
    assert_false(proof_includes(&wide, &d, 0, 8, &d));
    assert_false(proof_extends(&wide, 1, &d, 8, &d));
    assert_false(proof_extends(&wide, 9, &d, 8, &d));
}

static void tile_paths(void **state)
{
    (void)state;
    static const struct {
        unsigned level;
        uint64_t index;
        unsigned width;
        const char *path;
    } good[] = {
        {0, 0, 256, "tile/0/000"},
        {0, 67, 9, "tile/0/067.p/9"},
        {1, 1067, 256, "tile/1/x001/067"},
        {0, 1234067, 256, "tile/0/x001/x234/067"},
        {0, 1234067, 255, "tile/0/x001/x234/067.p/255"},
        {7, 1000000, 1, "tile/7/x001/x000/000.p/1"},
        {TILE_ENTRIES, 1000, 12, "tile/entries/x001/000.p/12"},
        {0, UINT64_MAX, 256, "tile/0/x018/x446/x744/x073/x709/x551/615"},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        char path[TILE_PATH_MAX];
        tile_path(good[i].level, good[i].index, good[i].width, path, sizeof path);
        assert_string_equal(path, good[i].path);
        unsigned level;
        uint64_t index;
        unsigned width;
        assert_int_equal(tile_path_parse(str_from(path), &level, &index, &width, NULL), RC_OK);
        assert_true(level == good[i].level && index == good[i].index && width == good[i].width);
    }
    static const char *const bad[] = {
        "", "tile", "tile/", "tile/0", "tile/0/", "/tile/0/000", "tile/8/000", "tile/00/000", "tile/0/0",
        "tile/0/0000", "tile/0/x000", "tile/0/x000/001", "tile/0/001/067", "tile/0/x001/x067", "tile/0/x001/67",
        "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/01", "tile/0/000.p/", "tile/0/000.p", "tile/0/000.p/1/",
        "tile/0/000/", "tile//000", "tile/0/-01", "tile/0/+01", "tile/data/000", "tile/-1/000",
        "tile/0/x018/x446/x744/x073/x709/x551/616", "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
        "tile/0/00\xc2\xa0",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        unsigned level;
        uint64_t index;
        unsigned width;
        struct err e;
        assert_int_equal(tile_path_parse(str_from(bad[i]), &level, &index, &width, &e), RC_INVALID);
        assert_string_equal(e.text, "not a tile path, such as tile/0/x001/067 or tile/0/000.p/9");
    }
}

/* Seed 00 01 .. 1f; made and opened by golang.org/x/mod/sumdb/note. */
#define OWN_VKEY "pawl.example/audit+b9d1c1d4+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"
#define OWN_TEXT "pawl.example/audit\n8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\n"
#define OWN_LINE                                                                                   \
    "\xe2\x80\x94 pawl.example/audit "                                                             \
    "udHB1CNDmNK02Ge2v3PIQ6ImaT9XoSh1lGIfa1jlS+8rvuP0zDejVV8Faf58D1vzIWTzprbXqKGiSC7R6I2RqPAb9gw=\n"
#define FOO_VKEY "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
#define FOO_LINE                                                                                   \
    "\xe2\x80\x94 example.com/foo "                                                                \
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"

static struct signing_key *own_key(void)
{
    uint8_t seed[ED25519_SEED_LEN];
    for (unsigned i = 0; i < sizeof seed; i++) {
        seed[i] = (uint8_t)i;
    }
    struct signing_key *key = NULL;
    assert_int_equal(signing_key_new(seed, &key, NULL), RC_OK);
    return key;
}

static struct vkey vkey_of(const char *text)
{
    struct vkey key;
    assert_int_equal(vkey_parse(str_from(text), &key, NULL), RC_OK);
    return key;
}

static void the_published_note_opens(void **state)
{
    (void)state;
    struct vkey key = vkey_of(FOO_VKEY);
    struct str text;
    assert_int_equal(note_open(STR("This is an example message.\n\n" FOO_LINE), &key, &text, NULL), RC_OK);
    assert_str(text, "This is an example message.\n");
    /* Among others it is found; by itself it does not make this a checkpoint of ours. */
    assert_int_equal(note_open(STR("This is an example message.\n\n" OWN_LINE FOO_LINE), &key, &text, NULL), RC_OK);
    struct checkpoint c;
    struct err e;
    assert_int_equal(checkpoint_open(STR("This is an example message.\n\n" FOO_LINE), &key, &c, &e), RC_INVALID);
    assert_string_equal(e.text, "checkpoint: not an origin, a size and a root");
}

static void checkpoints(void **state)
{
    (void)state;
    CLEANUP(signing_key) struct signing_key *key = own_key();
    CLEANUP(buf) struct buf out;
    buf_init(&out, CHECKPOINT_MAX);
    uint8_t public_key[ED25519_PUBLIC_LEN];
    signing_key_public(key, public_key);
    vkey_write(&out, STR("pawl.example/audit"), public_key);
    assert_str(buf_view(&out), OWN_VKEY);
    buf_reset(&out);
    struct checkpoint c = {.origin = STR("pawl.example/audit"), .size = 8};
    assert_true(hex_decode(str_from(known_roots[8]), c.root.bytes, SHA256_LEN));
    checkpoint_write(&out, &c, key);
    assert_str(buf_view(&out), OWN_TEXT "\n" OWN_LINE);
    struct vkey vkey = vkey_of(OWN_VKEY);
    struct checkpoint got;
    assert_int_equal(checkpoint_open(buf_view(&out), &vkey, &got, NULL), RC_OK);
    assert_str(got.origin, "pawl.example/audit");
    assert_int_equal(got.size, 8);
    assert_memory_equal(&got.root, &c.root, SHA256_LEN);
}

static void spoiled_checkpoints(void **state)
{
    (void)state;
    static const struct {
        const char *note;
        enum rc rc;
        const char *text;
    } cases[] = {
        {"", RC_INVALID, "checkpoint: not a signed note"},
        {OWN_TEXT, RC_INVALID, "checkpoint: not a signed note"},
        {OWN_TEXT "\n", RC_INVALID, "checkpoint: not a signed note"},
        {OWN_TEXT OWN_LINE, RC_INVALID, "checkpoint: not a signed note"},
        {"\n\n" OWN_LINE, RC_INVALID, "checkpoint: not a signed note"},
        {"a\tb\n\n" OWN_LINE, RC_INVALID, "checkpoint: not a signed note"},
        {OWN_TEXT "\n- pawl.example/audit AAAA\n", RC_INVALID, "checkpoint: signature line 1 of the note is malformed"},
        {OWN_TEXT "\n" OWN_LINE "\xe2\x80\x94 x\n", RC_INVALID, "checkpoint: signature line 2 of the note is malformed"},
        {OWN_TEXT "\n" FOO_LINE, RC_DENIED, "checkpoint: no signature by pawl.example/audit"},
        {"pawl.example/audit\n9\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\n\n" OWN_LINE, RC_DENIED,
         "checkpoint: the signature by pawl.example/audit is wrong"},
        {OWN_TEXT "\n\xe2\x80\x94 pawl.example/audit udHB1CNDmNI=\n", RC_DENIED,
         "checkpoint: the signature by pawl.example/audit is wrong"},
    };
    struct vkey key = vkey_of(OWN_VKEY);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct checkpoint got;
        struct err e;
        assert_int_equal(checkpoint_open(str_from(cases[i].note), &key, &got, &e), cases[i].rc);
        assert_str(str_from(e.text), cases[i].text);
    }
}

/* Texts that are signed properly and are no checkpoints all the same. */
static void signed_nonsense(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "pawl.example/audit\n", "pawl.example/audit\n8\n", "pawl.example/audit\n8\nXcnaeac=\n",
        "pawl.example/audit\n08\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\n",
        "pawl.example/audit\n-8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\n",
        "pawl.example/audit\n8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQy==\n",
    };
    CLEANUP(signing_key) struct signing_key *key = own_key();
    struct vkey vkey = vkey_of(OWN_VKEY);
    CLEANUP(buf) struct buf out;
    buf_init(&out, CHECKPOINT_MAX);
    struct checkpoint got;
    struct err e;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        buf_reset(&out);
        note_sign(&out, str_from(texts[i]), vkey.origin, key);
        assert_int_equal(checkpoint_open(buf_view(&out), &vkey, &got, &e), RC_INVALID);
        assert_string_equal(e.text, "checkpoint: not an origin, a size and a root");
    }
    buf_reset(&out);
    note_sign(&out, STR("other.example\n8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\n"), vkey.origin, key);
    assert_int_equal(checkpoint_open(buf_view(&out), &vkey, &got, &e), RC_DENIED);
    assert_string_equal(e.text, "checkpoint: it is of another log than pawl.example/audit");
    buf_reset(&out);
    note_sign(&out, STR(OWN_TEXT "an extension\n"), vkey.origin, key);
    assert_int_equal(checkpoint_open(buf_view(&out), &vkey, &got, NULL), RC_OK);
}

static void notes_have_limits(void **state)
{
    (void)state;
    struct vkey key = vkey_of(OWN_VKEY);
    struct str text;
    struct err e;
    CLEANUP(buf) struct buf note;
    buf_init(&note, 2 * CHECKPOINT_MAX);
    buf_str(&note, STR(OWN_TEXT "\n" OWN_LINE));
    for (int i = 1; i < NOTE_SIGNATURES_MAX; i++) {
        buf_str(&note, STR("\xe2\x80\x94 w AAAAAAA=\n"));
    }
    assert_int_equal(note_open(buf_view(&note), &key, &text, NULL), RC_OK);
    buf_str(&note, STR("\xe2\x80\x94 w AAAAAAA=\n"));
    assert_int_equal(note_open(buf_view(&note), &key, &text, &e), RC_INVALID);
    assert_string_equal(e.text, "signature line 33 of the note is malformed");
    buf_reset(&note);
    for (int i = 0; i < CHECKPOINT_MAX; i++) {
        buf_char(&note, 'x');
    }
    buf_str(&note, STR("\n\n" OWN_LINE));
    assert_int_equal(note_open(buf_view(&note), &key, &text, &e), RC_INVALID);
}

static void bad_vkeys(void **state)
{
    (void)state;
    static const struct {
        const char *vkey;
        const char *text;
    } cases[] = {
        {"", "verifier key: an origin has 1 to 128 characters"},
        {"a b+a9c04ee3+AQ==", "verifier key: an origin has no spaces, no '+' and only printable ASCII"},
        {"a", "verifier key: not <origin>+<8 hex digits>+<base64 key>"},
        {"a+a9c04ee3", "verifier key: not <origin>+<8 hex digits>+<base64 key>"},
        {"a+a9c04ee+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4", "verifier key: not <origin>+<8 hex digits>+<base64 key>"},
        {"a+a9c04ee3+AQOh", "verifier key: not <origin>+<8 hex digits>+<base64 key>"},
        {"a+a9c04ee3+BAOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4", "verifier key: algorithm 4 is not Ed25519"},
        {"a+a9c04ee3+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4", "verifier key: its id does not belong to its key"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct vkey key;
        struct err e;
        assert_int_equal(vkey_parse(str_from(cases[i].vkey), &key, &e), RC_INVALID);
        assert_str(str_from(e.text), cases[i].text);
    }
    char longest[ORIGIN_MAX + 1];
    memset(longest, 'o', sizeof longest);
    assert_int_equal(origin_check((struct str){longest, ORIGIN_MAX}, NULL), RC_OK);
    assert_int_equal(origin_check((struct str){longest, ORIGIN_MAX + 1}, NULL), RC_INVALID);
    assert_int_equal(origin_check(STR("\xc3\xa9"), NULL), RC_INVALID);
}

static void receipts(void **state)
{
    (void)state;
    struct log_in_memory *log = known_log();
    struct proof p;
    assert_int_equal(tiles_inclusion(read_tile, log, 5, 8, &p, NULL), RC_OK);
    CLEANUP(buf) struct buf out;
    buf_init(&out, 65536);
    CLEANUP(arena) struct arena *a = arena_new(65536);
    static const char *const extras[] = {"{\"header\":1}", "", "x"};
    for (size_t i = 0; i < 3; i++) {
        buf_reset(&out);
        receipt_write(&out, str_from(extras[i]), 5, &p, STR(OWN_TEXT "\n" OWN_LINE));
        struct receipt got;
        assert_int_equal(receipt_parse(a, buf_view(&out), &got, NULL), RC_OK);
        assert_str(got.extra, extras[i]);
        assert_str(got.note, OWN_TEXT "\n" OWN_LINE);
        struct vkey key = vkey_of(OWN_VKEY);
        struct checkpoint c;
        assert_int_equal(checkpoint_open(got.note, &key, &c, NULL), RC_OK);
        assert_true(proof_includes(&got.proof, &log->levels[0][5], got.index, c.size, &c.root));
    }
    log_free(log);
}

static void receipts_are_strict(void **state)
{
    (void)state;
#define R "c2sp.org/tlog-proof@v1\n"
#define HASH "XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\n"
    static const struct {
        const char *receipt;
        const char *text;
    } cases[] = {
        {"", "receipt: does not begin with \"c2sp.org/tlog-proof@v1\""},
        {"c2sp.org/tlog-proof@v2\nindex 1\n\nx", "receipt: does not begin with \"c2sp.org/tlog-proof@v1\""},
        {R, "receipt: does not begin with \"c2sp.org/tlog-proof@v1\""},
        {R "extra !\nindex 1\n\nx", "receipt: its extra line is not base64"},
        {R "extra AAAA\n", "receipt: ends early"},
        {R "index 01\n\nx", "receipt: has no \"index <number>\" line"},
        {R "index \n\nx", "receipt: has no \"index <number>\" line"},
        {R "index 1\n" HASH, "receipt: its proof is not up to 64 hashes and an empty line"},
        {R "index 1\nAAAA\n\nx", "receipt: its proof is not up to 64 hashes and an empty line"},
        {R "index 1\n" HASH "\n", "receipt: has no checkpoint, or a longer one than 4096 bytes"},
    };
    CLEANUP(arena) struct arena *a = arena_new(65536);
    struct receipt got;
    struct err e;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(receipt_parse(a, str_from(cases[i].receipt), &got, &e), RC_INVALID);
        assert_str(str_from(e.text), cases[i].text);
    }
    CLEANUP(buf) struct buf many;
    buf_init(&many, 65536);
    buf_str(&many, STR(R "index 1\n"));
    for (int i = 0; i < TREE_HASHES_MAX; i++) {
        buf_str(&many, STR(HASH));
    }
    size_t len = many.len;
    buf_str(&many, STR("\nx"));
    assert_int_equal(receipt_parse(a, buf_view(&many), &got, NULL), RC_OK);
    assert_int_equal(got.proof.count, TREE_HASHES_MAX);
    many.len = len;
    buf_str(&many, STR(HASH "\nx"));
    assert_int_equal(receipt_parse(a, buf_view(&many), &got, &e), RC_INVALID);
    CLEANUP(arena) struct arena *small = arena_new(16);
    assert_int_equal(receipt_parse(small, STR(R "extra AAAAAAAAAAAAAAAAAAAAAAAA\nindex 1\n\nx"), &got, &e), RC_LIMIT);
    assert_string_equal(e.text, "receipt: its extra part is too long");
#undef R
#undef HASH
}

static void salted_bodies(void **state)
{
    (void)state;
    uint8_t salt[ENTRY_SALT_LEN] = {0};
    struct str parts[] = {{(const char *)salt, sizeof salt}, STR("{}")};
    struct digest want = sha256_parts(parts, 2);
    struct digest got = ledger_body_digest(salt, STR("{}"));
    assert_memory_equal(&got, &want, SHA256_LEN);
    salt[31] = 1;
    got = ledger_body_digest(salt, STR("{}"));
    assert_memory_not_equal(&got, &want, SHA256_LEN);
    struct entry entry = {.seq = 9};
    memcpy(entry.body_digest, got.bytes, SHA256_LEN);
    assert_int_equal(ledger_check_body(&entry, salt, STR("{}"), NULL), RC_OK);
    struct err e;
    assert_int_equal(ledger_check_body(&entry, salt, STR("{ }"), &e), RC_CORRUPT);
    assert_string_equal(e.text, "entry 9: its body is not the one it was sealed with");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_roots_and_proofs),
        cmocka_unit_test(every_small_size),
        cmocka_unit_test(around_the_tiles),
        cmocka_unit_test(proofs_that_can_not_be),
        cmocka_unit_test(tile_paths),
        cmocka_unit_test(the_published_note_opens),
        cmocka_unit_test(checkpoints),
        cmocka_unit_test(spoiled_checkpoints),
        cmocka_unit_test(signed_nonsense),
        cmocka_unit_test(notes_have_limits),
        cmocka_unit_test(bad_vkeys),
        cmocka_unit_test(receipts),
        cmocka_unit_test(receipts_are_strict),
        cmocka_unit_test(salted_bodies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
