/*
 * cli/main - where the program begins; apart from the rest, so that tests can link that.
 */
#include "cli/cli.h"

int main(int argc, char **argv)
{
    return cli_main(argc, argv, PAWL_VERSION);
}
