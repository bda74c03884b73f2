/* ASSERT_DIES(statement): the statement ends its process by abort(), as a broken promise of a
 * caller must. Runs in a child; for tests only. */
#ifndef UNIT_DIES_H
#define UNIT_DIES_H

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define ASSERT_DIES(statement)                                                                     \
	do {                                                                                       \
		int dies_status_ = 0;                                                              \
		pid_t dies_pid_ = fork();                                                          \
		assert_true(dies_pid_ >= 0);                                                       \
		if (dies_pid_ == 0) {                                                              \
			close(STDERR_FILENO);                                                      \
			statement;                                                                 \
			_exit(0);                                                                  \
		}                                                                                  \
		assert_int_equal(waitpid(dies_pid_, &dies_status_, 0), dies_pid_);                 \
		assert_true(WIFSIGNALED(dies_status_));                                            \
		assert_int_equal(WTERMSIG(dies_status_), SIGABRT);                                 \
	} while (0)

#endif
