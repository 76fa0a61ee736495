/*
 * doors/hook - the hook that an agent's host calls before and after each of its tools: Claude Code.
 *
 * Before a tool: the call is proposed, and committed when its tool has two phases; silence with exit 0
 * lets it go on, everything else denies it, every failure of ours included. After a tool: the outcome is
 * reported, and the input that ran is compared with the one that was decided.
 * Source: Claude Code hooks, PreToolUse and PostToolUse; SEMANTICS section 8.
 */
#ifndef DOORS_HOOK_H
#define DOORS_HOOK_H

#include "client/client.h"

enum {
    HOOK_INPUT_MAX = 8 << 20,   /* bytes of what the host says */
    HOOK_TIMEOUT_MS = 5000,     /* of one call: three of them fit into the host's 30 s */
    HOOK_NAME_MAX = 256,        /* bytes of a tool's name */
    HOOK_AGE_MAX_MS = 86400000, /* a call whose end was never told is forgotten after that */
};

struct hook_options {
    struct client_options client;
    const char *agent;    /* null: whose the credential is */
    const char *model;    /* what the agent says that it is; null: nothing */
    const char *prompt_version;
    const char *config;   /* pawl's own files, which no agent may touch; null: not known */
    const char *data;
    const char *settings;
    bool headless; /* an escalation defers the call instead of denying it */
};

/* One call from standard input. Gives: the exit code, 0 or 2. */
int hook_claude_code(const struct hook_options *o);

/* What the host says. Strings and values point into the parsed text's arena. */
struct hook_call {
    struct str event; /* "PreToolUse", ... */
    struct str session;
    struct str use; /* tool_use_id */
    struct str tool;
    struct str cwd;
    const struct value *input; /* an object */
    const struct value *response; /* after the tool; or null */
    struct str error;             /* of a tool that failed */
};

NODISCARD enum rc hook_call_read(const struct value *v, struct hook_call *ret, struct err *e);
/*
 * The proposal of a call: {mcp} and parameters. MCP tools keep their names; the host's own become
 * claude-code/<name in lower case>; of Bash only the command counts. RC_INVALID for a name that is none.
 */
NODISCARD enum rc hook_proposal(struct arena *a, const struct hook_call *call, struct value *ret, struct err *e);

/* --- pawl's own surface -------------------------------------------------------------------------- */

enum { SURFACE_PATHS_MAX = 16 };

/* Absolute paths that no agent may touch, and whatever lies in them. */
struct surface {
    struct str paths[SURFACE_PATHS_MAX];
    unsigned count;
};

/* Adds path, made absolute against cwd and free of ".", ".." and links as far as it exists. */
void surface_add(struct arena *a, struct surface *s, struct str cwd, const char *path);
/* Ours as they stand: the program, config, data, token, state, settings. */
void surface_of(struct arena *a, const struct hook_options *o, struct str cwd, struct surface *ret);
/* True when the call names one of them: a path anywhere in its input, or a word of a command. */
bool surface_touched(struct arena *a, const struct surface *s, const struct hook_call *call, struct str *ret_path);

/* --- settings -------------------------------------------------------------------------------------- */

/* Merges our hooks into a settings value: what is there stays, ours are there once. RC_INVALID when its
 * `hooks` is no object of lists. */
NODISCARD enum rc hook_settings_merge(struct arena *a, const struct value *old, const struct hook_options *o,
                                      const char *program, struct value *ret, struct err *e);
/* `--install`: into the settings file (~/.claude/settings.json), atomically; print: to stdout instead. */
NODISCARD enum rc hook_install(const struct hook_options *o, bool print, struct err *e);

#endif
