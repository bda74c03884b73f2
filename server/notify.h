/* sd_notify(3) without libsystemd: tells the service manager that started us, if one did. */
#ifndef SERVER_NOTIFY_H
#define SERVER_NOTIFY_H

/* state: "READY=1", "STOPPING=1", "WATCHDOG=1", "STATUS=..."; several are separated by newlines.
 * Without NOTIFY_SOCKET, and when nobody listens there, nothing happens. */
void notify_send(const char *state);
/* Milliseconds between WATCHDOG=1 that the manager asks for (half of WATCHDOG_USEC); 0 = none. */
int notify_watchdog_ms(void);

#endif
