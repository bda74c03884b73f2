/* Whether an organization that a caller names exists and is active. Keeps a positive answer for a few
 * seconds and a negative one for a moment, apart: what is made up pushes nobody out who is there.
 * Never says which of the two it is that an organization lacks. */
#include "base/clock.h"
#include "base/lock.h"
#include "base/mem.h"
#include "db/organizations.h"
#include "server/auth_inside.h"

enum { CACHE_SLOTS = 1024, ABSENT_TTL_S = 1 };

struct cached {
	struct id org_id;
	int64_t until; /* mono */
};

struct auth_org {
	struct lock lock;
	struct {
		struct cached active[CACHE_SLOTS],
			absent[CACHE_SLOTS]; /* direct-mapped by the ID */
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

static size_t slot_of(struct id org_id)
{
	return (size_t)(org_id.b[14] << 8 | org_id.b[15]) % CACHE_SLOTS;
}

static bool is_fresh(const struct cached *entry, struct id org_id)
{
	return id_eq(entry->org_id, org_id) && entry->until > clock_mono();
}

/* False: nothing is known. */
static bool recall(struct auth_org *o, struct id org_id, bool *ret_active)
{
	bool absent = false;

	lock_take(&o->lock);
	*ret_active = is_fresh(&o->synced.active[slot_of(org_id)], org_id);
	absent = is_fresh(&o->synced.absent[slot_of(org_id)], org_id);
	lock_drop(&o->lock);
	return *ret_active || absent;
}

static void keep(struct auth_org *o, struct id org_id, bool active, int64_t asked_at)
{
	struct cached *table = active ? o->synced.active : o->synced.absent;
	int64_t until = asked_at + (active ? AUTH_TTL_S : ABSENT_TTL_S) * CLOCK_S;

	lock_take(&o->lock);
	table[slot_of(org_id)] = (struct cached){ org_id, until };
	lock_drop(&o->lock);
}

enum rc auth_org_check(struct auth_org *o, struct id org_id, struct dbpool *pool, struct err *err)
{
	const struct id nobody = { { 0 } };
	int64_t asked_at = clock_mono();
	struct db *db = NULL;
	bool active = false;
	enum rc rc = RC_OK;

	if (recall(o, org_id, &active))
		return active ? RC_OK : auth_org_wrong(err);
	rc = dbpool_take(pool, nobody, AUTH_POOL_WAIT_MS, &db, err);
	if (rc != RC_OK)
		return rc;
	rc = organizations_active(db, org_id, &active, err);
	dbpool_give(pool, nobody, db);
	if (rc != RC_OK)
		return rc;
	keep(o, org_id, active, asked_at);
	return active ? RC_OK : auth_org_wrong(err);
}
