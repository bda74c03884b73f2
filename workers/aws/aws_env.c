/* aws_env: what all threads share. Immutable but for the limiter, which locks itself, two atomics,
 * and the accounts of our own, which may become known while threads run. */
#include "workers/aws/aws_env.h"
#include "base/mem.h"
#include <stdlib.h>

enum { IN_FLIGHT = 32, IN_FLIGHT_MAX = 64, CALL_TIMEOUT_S = 60, SCOPE_DEADLINE_S = 900 };
enum { OWN_ACCOUNT_SHOWN = 40 };       /* bytes of a wrong one, in a message */
#define SKEW_MIN     (300 * CLOCK_S)   /* AWS accepts less */
#define SKEW_MAX     (86400 * CLOCK_S) /* a Date further off is not to be believed */
#define RESOLVED_FOR (60 * CLOCK_S)

void aws_env_free(struct aws_env *env)
{
	if (env == NULL)
		return;
	for (int i = 0; i < env->synced.n_own_accounts; i++)
		mem_free(env->synced.own_accounts[i]);
	lock_destroy(&env->lock);
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
	enum rc rc = RC_OK;

	lock_init(&env->lock);
	env->in_flight = or_default(settings->in_flight, IN_FLIGHT);
	if (env->in_flight > IN_FLIGHT_MAX)
		env->in_flight = IN_FLIGHT_MAX;
	env->call_timeout_s = or_default(settings->call_timeout_s, CALL_TIMEOUT_S);
	env->scope_deadline = or_default(settings->scope_deadline_s, SCOPE_DEADLINE_S) * CLOCK_S;
	env->ca_file = mem_copy(settings->ca_file);
	for (const char *const *a = settings->own_accounts; a && *a && rc == RC_OK; a++)
		rc = aws_env_own_account(env, str_c(*a), err);
	if (rc == RC_OK)
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

static bool is_own_synced(const struct aws_env *env, struct str account) REQUIRES(env->lock);
static bool is_own_synced(const struct aws_env *env, struct str account)
{
	lock_assert_held(&env->lock);
	for (int i = 0; i < env->synced.n_own_accounts; i++)
		if (str_eq(str_c(env->synced.own_accounts[i]), account))
			return true;
	return false;
}

enum rc aws_env_own_account(struct aws_env *env, struct str account, struct err *err)
{
	bool room;

	if (!awsname_is_account(account))
		return err_set(err, RC_INVALID, "invalid_own_accounts",
			       "own_accounts: \"%.*s\" is not a 12-digit account ID",
			       STR_FMT(str_sub(account, 0, OWN_ACCOUNT_SHOWN)));
	lock_take(&env->lock);
	room = is_own_synced(env, account) || env->synced.n_own_accounts < AWS_ENV_OWN_ACCOUNTS_MAX;
	if (room && !is_own_synced(env, account))
		env->synced.own_accounts[env->synced.n_own_accounts++] = str_dup(account);
	lock_drop(&env->lock);
	return room ? RC_OK
		    : err_set(err, RC_LIMIT, "too_many_own_accounts",
			      "there are more than %d accounts of our own",
			      AWS_ENV_OWN_ACCOUNTS_MAX);
}

bool aws_env_is_own_account(struct aws_env *env, struct str account)
{
	bool yes;

	lock_take(&env->lock);
	yes = is_own_synced(env, account);
	lock_drop(&env->lock);
	return yes;
}

bool aws_env_knows_own_account(struct aws_env *env)
{
	bool yes;

	lock_take(&env->lock);
	yes = env->synced.n_own_accounts > 0;
	lock_drop(&env->lock);
	return yes;
}
