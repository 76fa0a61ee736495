/* Any bytes: refused as corrupt or unknown, or a header that is written back to the same bytes. */
#include "fuzz/fuzz.h"

#include "base/must.h"
#include "entry/entry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str header = {(const char *)data, size};
    struct entry entry;
    struct err e = {0};
    enum rc rc = entry_parse(header, &entry, &e);
    if (rc != RC_OK) {
        must(rc == RC_CORRUPT || rc == RC_INVALID);
        must(e.rc == rc && e.text[0] != '\0');
        return 0;
    }
    CLEANUP(buf) struct buf out;
    buf_init(&out, ENTRY_HEADER_MAX);
    entry_write(&out, &entry);
    must(str_eq(buf_view(&out), header));
    return 0;
}
