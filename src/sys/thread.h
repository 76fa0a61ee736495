/*
 * sys/thread - what a thread may ask of the scheduler.
 */
#ifndef SYS_THREAD_H
#define SYS_THREAD_H

/* Lowers the calling thread's priority for good, so that long work never delays a decision. */
void thread_yield_to_others(void);

#endif
