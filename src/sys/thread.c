#include "sys/thread.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* About a thirtieth of a busy core: slow, and never starved to where it would hold a read for long. */
#define LONG_WORK_NICE 15

void thread_yield_to_others(void)
{
    /* Linux keeps priorities by thread. Without the right to lower ours nothing breaks. */
    (void)setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), LONG_WORK_NICE);
}
