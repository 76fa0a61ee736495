/*
 * doors/invocation - what exactly a command is, before anybody is asked: file, words, folder,
 * environment, standard input, input files, each with its digest.
 *
 * The executable is opened once and stays open: what was digested is what is started, by its
 * descriptor. Standard input is copied into sealed memory, input files into a folder of ours, and the
 * words that name them are replaced in what runs, never in what is proposed. The environment is a short
 * list of names; LD_* is never among them, and a value whose name says that it is secret is proposed as
 * its digest only.
 */
#ifndef DOORS_INVOCATION_H
#define DOORS_INVOCATION_H

#include "base/arena.h"
#include "crypto/crypto.h"
#include "sys/file.h"
#include "value/value.h"

enum {
    INVOCATION_INPUTS_MAX = 32,
    INVOCATION_ENV_MAX = 64,       /* names besides the usual ones */
    INVOCATION_INPUT_MAX = 256 << 20, /* bytes of one input file or of standard input */
};

struct invocation_spec {
    const char *const *argv; /* ends in null */
    const char *stdin_file;  /* null: /dev/null */
    const char *inputs[INVOCATION_INPUTS_MAX + 1]; /* null ends them */
    const char *env[INVOCATION_ENV_MAX + 1];
};

struct invocation {
    char executable[FILE_PATH_MAX];
    int exec_fd;
    struct digest exec_digest;
    int stdin_fd; /* -1: /dev/null */
    char cwd[FILE_PATH_MAX];
    char folder[FILE_PATH_MAX]; /* of the copied inputs; "" without any */
    const char **argv;          /* what runs */
    const char **envp;
    struct value value;         /* what is proposed */
};

/*
 * Gives: strings and values in a. Errors: RC_NOT_FOUND (no such command or file), RC_DENIED (not
 * executable or readable), RC_INVALID (an input that is no argument, LD_*, not UTF-8), RC_LIMIT.
 */
NODISCARD enum rc invocation_make(struct arena *a, const struct invocation_spec *spec,
                                  struct invocation *ret, struct err *e);
/* Closes and removes the copies. */
void invocation_done(struct invocation *i);
/* RC_CONFLICT when the open executable's bytes are no longer those that were digested. */
NODISCARD enum rc invocation_recheck(const struct invocation *i, struct err *e);
/* SHA-256 of an open regular file from its beginning; its offset stays. */
NODISCARD enum rc digest_of_fd(int fd, const char *name, struct digest *ret, struct err *e);
/* A value under this name must not be shown: KEY, TOKEN, SECRET, PASSWORD, CREDENTIAL are in it. */
bool env_is_secret(struct str name);

#endif
