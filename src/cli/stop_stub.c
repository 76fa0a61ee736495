#include "cli/cli.h"
const struct command stop_commands[] = {{0}};
