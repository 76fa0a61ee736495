#include "cli/cli.h"
const struct command log_commands[] = {{0}};
