#include "cli/cli.h"
const struct command door_commands[] = {{0}};
