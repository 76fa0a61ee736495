#include "cli/cli.h"
const struct command list_commands[] = {{0}};
