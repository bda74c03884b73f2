/* What a killed postmaster leaves in its data folder: processes and a lock file. */
#ifndef SERVER_ORPHANS_H
#define SERVER_ORPHANS_H

/* Ends every postgres process whose working folder is this cluster, by its pid, and waits until it
 * is gone; then removes a postmaster.pid whose number now belongs to another program. Runs as the
 * cluster's user. */
void orphans_end(const char *cluster);

#endif
