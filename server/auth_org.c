/* Whether an organization that a caller names exists and is active. Keeps a positive answer for a few
 * seconds; a negative one is asked again, so that a new organization works at once.
 * Never says which of the two it is that an organization lacks. */
#include "base/clock.h"
#include "base/lock.h"
#include "base/mem.h"
#include "db/organizations.h"
#include "server/auth_inside.h"

enum { CACHE_SLOTS = 1024 };

struct cached {
	struct id org_id;
	int64_t until; /* mono */
};

struct auth_org {
	struct lock lock;
	struct {
		struct cached slots[CACHE_SLOTS]; /* direct-mapped by the ID */
	} synced;
};

void auth_org_free(struct auth_org *o)
{
	if (!o)
		return;
	lock_destroy(&o->lock);
	mem_free(o);
}

struct auth_org *auth_org_new(void)
{
	struct auth_org *o = MEM_NEW(struct auth_org);

	lock_init(&o->lock);
	return o;
}

enum rc auth_org_wrong(struct err *err)
{
	return err_set(err, RC_DENIED, "wrong_organization",
		       "the credential cannot act for the organization that is named");
}

static struct cached *slot_synced(struct auth_org *o, struct id org_id) REQUIRES(o->lock);
static struct cached *slot_synced(struct auth_org *o, struct id org_id)
{
	lock_assert_held(&o->lock);
	return &o->synced.slots[(org_id.b[14] << 8 | org_id.b[15]) % CACHE_SLOTS];
}

static bool is_fresh(struct auth_org *o, struct id org_id)
{
	struct cached entry = { .until = 0 };

	lock_take(&o->lock);
	entry = *slot_synced(o, org_id);
	lock_drop(&o->lock);
	return id_eq(entry.org_id, org_id) && entry.until > clock_mono();
}

static void keep(struct auth_org *o, struct id org_id, int64_t until)
{
	lock_take(&o->lock);
	*slot_synced(o, org_id) = (struct cached){ org_id, until };
	lock_drop(&o->lock);
}

enum rc auth_org_check(struct auth_org *o, struct id org_id, struct dbpool *pool, struct err *err)
{
	const struct id nobody = { { 0 } };
	int64_t until = clock_mono() + AUTH_TTL_S * CLOCK_S;
	struct db *db = NULL;
	bool active = false;
	enum rc rc = RC_OK;

	if (is_fresh(o, org_id))
		return RC_OK;
	rc = dbpool_take(pool, nobody, AUTH_POOL_WAIT_MS, &db, err);
	if (rc != RC_OK)
		return rc;
	rc = organizations_active(db, org_id, &active, err);
	dbpool_give(pool, nobody, db);
	if (rc != RC_OK)
		return rc;
	if (!active)
		return auth_org_wrong(err);
	keep(o, org_id, until);
	return RC_OK;
}
