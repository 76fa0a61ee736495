/*
 * doors/state - the folder where a door keeps what must outlive its process.
 *
 * $XDG_STATE_HOME/pawl, else ~/.local/state/pawl; ours alone (0700), made when needed.
 */
#ifndef DOORS_STATE_H
#define DOORS_STATE_H

#include "sys/file.h"

/* out: FILE_PATH_MAX bytes; gets "<state>/<sub>" ("" for the folder itself), which exists then. */
NODISCARD enum rc state_folder(const char *sub, char *out, struct err *e);

#endif
