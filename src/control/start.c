/*
 * control/start - from a data folder to a running control, and back.
 */
#include "control/control_internal.h"

#include "base/must.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum rc open_world(struct control *c, struct err *e)
{
    enum rc rc = store_open(c->path, STORE_READ, &c->reader, e);
    rc = rc == RC_OK ? snapshot_restore(c, c->reader, &c->world, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    if (world_next_seq(c->world) == 0) {
        return err_set(e, RC_CORRUPT, "%s holds no ledger: make one with pawl init", c->path);
    }
    return RC_OK;
}

static enum rc start_writer(struct control *c, struct err *e)
{
    struct writer_options options = {
        .path = c->path,
        .checkpoint_file = c->options.checkpoint_file,
        .origin = world_origin(c->world),
        .key = c->options.key,
        .checkpoint_ms = c->options.checkpoint_ms > 0 ? c->options.checkpoint_ms : 200,
        .by_publish = c->options.by_publish,
        .wake = c->options.wake,
        .context = c->options.wake_context,
    };
    enum rc rc = writer_start(&options, &c->writer, e);
    if (rc == RC_OK && writer_durable(c->writer) != world_next_seq(c->world)) {
        return err_set(e, RC_CONFLICT, "another process wrote the ledger meanwhile");
    }
    return rc;
}

enum rc control_start(const struct control_options *options, struct control **ret, struct err *e)
{
    must(options->ports.wall_ms != NULL && options->ports.elapsed_ms != NULL &&
         options->ports.random != NULL && options->wake != NULL);
    struct control *c = calloc(1, sizeof *c);
    size_t size = strlen(options->folder) + sizeof "/ledger.db";
    char *path = malloc(size);
    if (c == NULL || path == NULL) {
        free(c);
        free(path);
        return err_set(e, RC_NO_MEMORY, "out of memory");
    }
    snprintf(path, size, "%s/ledger.db", options->folder);
    c->options = *options;
    c->path = path;
    c->stop_effect_us = -1;
    signals_init(&c->signals);
    buf_init(&c->text, TEXT_MAX);
    c->feed = feed_new();
    enum rc rc = c->feed == NULL ? err_set(e, RC_NO_MEMORY, "out of memory") : open_world(c, e);
    rc = rc == RC_OK ? start_writer(c, e) : rc;
    if (rc != RC_OK) {
        control_stop(c);
        return rc;
    }
    clock_start(c);
    *ret = c;
    return RC_OK;
}

void control_stop(struct control *c)
{
    if (c == NULL) {
        return;
    }
    if (c->writer != NULL) {
        snapshot_end(c);
        retention_end(c);
        calibration_end(c);
    }
    invariants_free(c);
    /* Readers first: who closes last moves the log into the file, and a reader can't. */
    store_close(c->reader);
    if (c->writer != NULL) {
        writer_stop(c->writer);
        c->writer = NULL;
    }
    world_free(c->world);
    signals_done(&c->signals);
    buf_done(&c->text);
    feed_free(c->feed);
    free(c->waiters);
    free(c->abandoned);
    free(c->path);
    free(c);
}

const struct world *control_world(const struct control *c)
{
    return c->world;
}

struct signals *control_signals(struct control *c)
{
    return &c->signals;
}

struct writer *control_writer(struct control *c)
{
    return c->writer;
}

struct store *control_reader(struct control *c)
{
    return c->reader;
}
