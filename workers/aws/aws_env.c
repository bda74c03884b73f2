/* aws_env: what all threads share. Immutable but for the limiter, which locks itself, and two
 * atomics. */
#include "workers/aws/aws_env.h"
#include "base/mem.h"
#include <stdlib.h>

enum { IN_FLIGHT = 32, IN_FLIGHT_MAX = 64, CALL_TIMEOUT_S = 60, SCOPE_DEADLINE_S = 900 };
#define SKEW_MIN     (300 * CLOCK_S)   /* AWS accepts less */
#define SKEW_MAX     (86400 * CLOCK_S) /* a Date further off is not to be believed */
#define RESOLVED_FOR (60 * CLOCK_S)

void aws_env_free(struct aws_env *env)
{
	if (env == NULL)
		return;
	for (char **a = env->own_accounts; *a != NULL; a++)
		mem_free(*a);
	endpoint_overrides_free(env->overrides);
	limiter_free(env->limiter);
	mem_free(env->ca_file);
	mem_free(env);
}

static const char *from_process(const char *name)
{
	return getenv(name);
}

static int or_default(int value, int otherwise)
{
	return value > 0 ? value : otherwise;
}

enum rc aws_env_new(const struct aws_settings *settings, struct aws_env **ret, struct err *err)
{
	AUTO(aws_env) struct aws_env *env = MEM_NEW(struct aws_env);
	int n = 0;
	enum rc rc;

	env->in_flight = or_default(settings->in_flight, IN_FLIGHT);
	if (env->in_flight > IN_FLIGHT_MAX)
		env->in_flight = IN_FLIGHT_MAX;
	env->call_timeout_s = or_default(settings->call_timeout_s, CALL_TIMEOUT_S);
	env->scope_deadline = or_default(settings->scope_deadline_s, SCOPE_DEADLINE_S) * CLOCK_S;
	env->ca_file = mem_copy(settings->ca_file);
	for (const char *const *a = settings->own_accounts; a != NULL && *a != NULL; a++) {
		if (n == AWS_ENV_OWN_ACCOUNTS_MAX || !awsname_is_account(str_c(*a)))
			return err_set(err, RC_INVALID, "invalid_own_accounts",
				       "own_accounts: \"%.40s\" is not a 12-digit account ID, or "
				       "there are more than %d",
				       *a, AWS_ENV_OWN_ACCOUNTS_MAX);
		env->own_accounts[n++] = mem_copy(*a);
	}
	rc = endpoint_overrides_new(from_process, &env->overrides, err);
	if (rc == RC_OK)
		rc = limiter_new(settings->rates, &env->limiter, err);
	if (rc == RC_OK)
		*ret = TAKE(env);
	return rc;
}

int64_t aws_env_skew(const struct aws_env *env)
{
	return __atomic_load_n(&env->skew, __ATOMIC_RELAXED);
}

int64_t aws_env_wall(const struct aws_env *env)
{
	return clock_wall() + aws_env_skew(env);
}

bool aws_env_learn_skew(struct aws_env *env, int64_t date_wall, int64_t signed_skew)
{
	int64_t offset = date_wall - clock_wall();
	int64_t off_by = offset - signed_skew;

	if (aws_env_skew(env) != signed_skew)
		return true;
	if (date_wall == 0 || offset > SKEW_MAX || offset < -SKEW_MAX)
		return false;
	if (off_by < SKEW_MIN && off_by > -SKEW_MIN)
		return false;
	__atomic_store_n(&env->skew, offset, __ATOMIC_RELAXED);
	return true;
}

void aws_env_resolved(struct aws_env *env, int64_t now)
{
	__atomic_store_n(&env->resolved, now, __ATOMIC_RELAXED);
}

bool aws_env_resolves(const struct aws_env *env, int64_t now)
{
	int64_t at = __atomic_load_n(&env->resolved, __ATOMIC_RELAXED);

	return at != 0 && now - at < RESOLVED_FOR;
}

bool aws_env_is_own_account(const struct aws_env *env, struct str account)
{
	for (char *const *a = env->own_accounts; *a != NULL; a++)
		if (str_eq(str_c(*a), account))
			return true;
	return false;
}
