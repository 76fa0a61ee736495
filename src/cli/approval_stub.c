#include "cli/cli.h"
const struct command approval_commands[] = {{0}};
