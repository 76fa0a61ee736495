/* store/writer: the buffers that entries wait in. */
#include "store/writer_internal.h"

#include "base/must.h"

#include <stdlib.h>
#include <string.h>

bool queue_init(struct queue *q)
{
    *q = (struct queue){
        .entries = malloc(WRITER_QUEUE_MAX * sizeof *q->entries),
        .blobs = malloc(WRITER_QUEUE_BLOBS_MAX * sizeof *q->blobs),
        .bytes = malloc(WRITER_QUEUE_BYTES_MAX),
    };
    return q->entries != NULL && q->blobs != NULL && q->bytes != NULL;
}

void queue_done(struct queue *q)
{
    free(q->entries);
    free(q->blobs);
    free(q->bytes);
    *q = (struct queue){0};
}

void queue_reset(struct queue *q)
{
    q->count = 0;
    q->blob_count = 0;
    q->used = 0;
}

size_t push_size(const struct entry *entry, struct str body, const struct stored_blob *blobs, size_t blob_count)
{
    size_t size = entry->actor.len + body.len;
    for (unsigned i = 0; i < entry->ref_count; i++) {
        size += entry->refs[i].len;
    }
    for (size_t i = 0; i < blob_count; i++) {
        size += blobs[i].bytes.len;
    }
    return size;
}

static struct str keep(struct queue *q, struct str s)
{
    must(s.len <= WRITER_QUEUE_BYTES_MAX - q->used);
    char *copy = q->bytes + q->used;
    if (s.len > 0) {
        memcpy(copy, s.ptr, s.len);
    }
    q->used += s.len;
    return (struct str){copy, s.len};
}

void queue_push(struct queue *q, const struct pending *entry, const struct stored_blob *blobs, size_t blob_count)
{
    must(q->count < WRITER_QUEUE_MAX && blob_count <= WRITER_QUEUE_BLOBS_MAX - q->blob_count);
    struct pending *kept = &q->entries[q->count++];
    *kept = *entry;
    kept->entry.actor = keep(q, entry->entry.actor);
    for (unsigned i = 0; i < entry->entry.ref_count; i++) {
        kept->entry.refs[i] = keep(q, entry->entry.refs[i]);
    }
    kept->body = keep(q, entry->body);
    for (size_t i = 0; i < blob_count; i++) {
        struct stored_blob *blob = &q->blobs[q->blob_count++];
        *blob = blobs[i];
        blob->bytes = keep(q, blobs[i].bytes);
        blob->seq = entry->entry.seq;
        blob->owner = blob->owner == 0 ? blob->seq : blob->owner;
    }
    kept->blobs_end = q->blob_count;
}
