/*
 * cli/receipt - one entry proven to be in the log, offline: no server, no data folder.
 */
#include "cli/verify.h"

#include "base/encode.h"
#include "value/json.h"

#include <inttypes.h>

static enum rc check_entry(struct arena *a, const struct receipt *receipt, struct str *ret_header,
                           struct verified_receipt *ret, struct err *e)
{
    struct value extra;
    uint8_t salt[ENTRY_SALT_LEN];
    enum rc rc = json_parse(a, receipt->extra, &extra, e);
    if (rc != RC_OK) {
        return rc;
    }
    *ret_header = value_text(value_get(&extra, STR("header")));
    ret->body = value_text(value_get(&extra, STR("body")));
    if (!hex_decode(value_text(value_get(&extra, STR("salt"))), salt, sizeof salt)) {
        return err_set(e, RC_INVALID, "the receipt has no salt of %d bytes", ENTRY_SALT_LEN);
    }
    rc = entry_parse(*ret_header, &ret->entry, e);
    if (rc == RC_OK && ret->entry.seq != receipt->index) {
        return err_set(e, RC_CORRUPT, "the receipt is for entry %" PRIu64 " and holds entry %" PRIu64,
                       receipt->index, ret->entry.seq);
    }
    return rc == RC_OK ? ledger_check_body(&ret->entry, salt, ret->body, e) : rc;
}

enum rc verify_receipt(struct arena *a, struct str text, struct str vkey, struct verified_receipt *ret,
                       struct err *e)
{
    struct receipt *receipt = arena_alloc(a, sizeof *receipt);
    if (receipt == NULL) {
        return err_set(e, RC_NO_MEMORY, "out of memory");
    }
    struct vkey key;
    struct checkpoint checkpoint;
    struct str header;
    enum rc rc = vkey_parse(vkey, &key, e);
    rc = rc == RC_OK ? receipt_parse(a, text, receipt, e) : rc;
    rc = rc == RC_OK ? check_entry(a, receipt, &header, ret, e) : rc;
    rc = rc == RC_OK ? checkpoint_open(receipt->note, &key, &checkpoint, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    struct digest leaf = ledger_leaf_hash(header);
    if (!proof_includes(&receipt->proof, &leaf, receipt->index, checkpoint.size, &checkpoint.root)) {
        return err_set(e, RC_CORRUPT, "the proof does not lead from entry %" PRIu64 " to the signed root",
                       receipt->index);
    }
    ret->log_size = checkpoint.size;
    ret->origin = checkpoint.origin;
    return RC_OK;
}
