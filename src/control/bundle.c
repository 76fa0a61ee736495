#include "control/bundle.h"

#include "base/encode.h"
#include "base/instant.h"
#include "ledger/note.h"
#include "value/json.h"

/* The note's text is four lines: this one, the policy's hash, its maker, the moment. */
static const char head[] = "pawl policy bundle v1";

/* The next line of text, without its end; text moves on. */
static struct str next_line(struct str *text)
{
    size_t end = str_find(*text, '\n');
    struct str line = str_slice(*text, 0, end);
    *text = str_slice(*text, end < text->len ? end + 1 : end, text->len);
    return line;
}

static enum rc open_note(struct str note, const struct str_list *vkeys, struct str *ret_text, struct err *e)
{
    enum rc rc = err_set(e, RC_DENIED, "no key is configured that may sign policies");
    for (uint32_t i = 0; i < vkeys->count; i++) {
        struct vkey key;
        rc = vkey_parse(vkeys->items[i], &key, e);
        rc = rc == RC_OK ? note_open(note, &key, ret_text, e) : rc;
        if (rc == RC_OK) {
            return rc;
        }
    }
    return rc == RC_DENIED && vkeys->count > 0 ? err_set(e, RC_DENIED, "the bundle is signed by none of the keys that may sign policies") : rc;
}

static enum rc check_hash(const struct policy *p, struct str hash, struct err *e)
{
    struct buf text;
    buf_init(&text, POLICY_TEXT_MAX);
    policy_write(&text, p);
    struct digest digest = sha256(buf_view(&text));
    char hex[2 * SHA256_LEN];
    hex_encode(digest.bytes, sizeof digest.bytes, hex);
    bool same = text.rc == RC_OK && str_eq(hash, (struct str){hex, sizeof hex});
    buf_done(&text);
    return same ? RC_OK : err_set(e, RC_CORRUPT, "the policy is not the one that was signed, or of another version of pawl");
}

enum rc policy_bundle_open(const struct value *bundle, const struct str_list *vkeys, struct policy_bundle *ret,
                           struct err *e)
{
    struct str text = STR("");
    const struct value *policy = value_get(bundle, STR("policy"));
    *ret = (struct policy_bundle){.note = value_text(value_get(bundle, STR("note")))};
    if (ret->note.len == 0 || !value_is(policy, VALUE_OBJECT)) {
        return err_set(e, RC_INVALID, "expected a bundle: {\"note\", \"policy\"}");
    }
    enum rc rc = open_note(ret->note, vkeys, &text, e);
    if (rc != RC_OK) {
        return rc;
    }
    bool right = str_eq(next_line(&text), str_from(head));
    ret->hash = next_line(&text);
    ret->author = next_line(&text);
    ret->created = next_line(&text);
    if (!right || !str_starts(ret->hash, STR("sha256:")) || ret->author.len == 0) {
        return err_set(e, RC_INVALID, "what is signed is no policy bundle");
    }
    rc = policy_read(STR(""), policy, &ret->policy, e);
    rc = rc == RC_OK ? check_hash(ret->policy, str_slice(ret->hash, 7, ret->hash.len), e) : rc;
    if (rc != RC_OK) {
        policy_free(ret->policy);
        ret->policy = NULL;
    }
    return rc;
}

static void write_note(struct buf *note, struct str policy, const struct bundle_signer *s)
{
    struct digest digest = sha256(policy);
    char hex[2 * SHA256_LEN];
    char at[INSTANT_TEXT_LEN];
    struct buf text;
    buf_init(&text, 4096);
    hex_encode(digest.bytes, sizeof digest.bytes, hex);
    instant_format(s->now_ms, at);
    buf_printf(&text, "%s\nsha256:%.*s\n%.*s\n%.*s\n", head, (int)sizeof hex, hex, STR_ARG(s->author), (int)sizeof at, at);
    note_sign(note, buf_view(&text), s->name, s->key);
    note->rc = note->rc == RC_OK ? text.rc : note->rc;
    buf_done(&text);
}

enum rc policy_bundle_write(struct buf *out, const struct policy *p, const struct bundle_signer *s, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(POLICY_ARENA_MAX);
    CLEANUP(buf) struct buf policy;
    CLEANUP(buf) struct buf note;
    buf_init(&policy, POLICY_TEXT_MAX);
    buf_init(&note, 16384);
    policy_write(&policy, p);
    write_note(&note, buf_view(&policy), s);
    struct value v;
    enum rc rc = a == NULL || policy.rc != RC_OK || note.rc != RC_OK ? err_set(e, RC_LIMIT, "the policy is too large")
                                                                     : json_parse(a, buf_view(&policy), &v, e);
    if (rc != RC_OK) {
        return rc;
    }
    struct value bundle = value_object();
    value_add_str(a, &bundle, STR("note"), buf_view(&note));
    value_add(a, &bundle, STR("policy"), v);
    json_write_pretty(out, &bundle);
    buf_char(out, '\n');
    return out->rc == RC_OK ? RC_OK : err_set(e, out->rc, "the policy is too large");
}
