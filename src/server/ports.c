#include "server/ports.h"

#include "server/executor.h"
#include "server/folder.h"
#include "sys/clock.h"

static int64_t wall_ms(void *context)
{
    (void)context;
    return clock_wall_ms();
}

static int64_t elapsed_ms(void *context)
{
    (void)context;
    return clock_boot_ms();
}

static int64_t elapsed_us(void *context)
{
    (void)context;
    return clock_monotonic_us();
}

static void take_random(void *context, void *out, size_t len)
{
    struct server_ports *p = context;
    random_pool_take(&p->pool, out, len);
}

static void write_stop_file(void *context, const char *reason)
{
    const struct server_ports *p = context;
    struct err e;
    /* A disk that can't take the file leaves the stop in memory and its entry waiting: nothing better
     * can be done here, and the caller says durable:false. */
    if (p->folder != NULL && folder_set_stop(p->folder, reason, &e) != RC_OK) {
        return;
    }
}

static enum command_start run(void *context, const struct command *command)
{
    return executor_run(((struct server_ports *)context)->executor, command);
}

struct ports server_ports(struct server_ports *p)
{
    return (struct ports){.run = p->executor == NULL ? NULL : run,
                          .wall_ms = wall_ms,
                          .elapsed_ms = elapsed_ms,
                          .elapsed_us = elapsed_us,
                          .random = take_random,
                          .stop_file = write_stop_file,
                          .context = p};
}
