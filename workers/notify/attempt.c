/* The one table of pauses, as Standard Webhooks proposes them. */
#include "workers/notify/attempt.h"
#include "base/cdefs.h"
#include "base/clock.h"

enum { JITTER_PERCENT = 10, PERCENT = 100, GONE = 410 };

/* Between one attempt and the next; the first is made at once. */
static const int64_t ATTEMPT_PAUSES_S[] = { 5,         5 * 60,    30 * 60,   2 * 3600, 5 * 3600,
					    10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600 };
_Static_assert(COUNT_OF(ATTEMPT_PAUSES_S) == ATTEMPT_MAX - 1, "one pause fewer than attempts");

static bool is_success(int status)
{
	return status >= 200 && status < 300;
}

static const char *name_of(const struct attempt *a)
{
	if (a->status == 0)
		return a->fault;
	if (is_success(a->status))
		return "";
	if (a->status < 200)
		return "no_answer";
	if (a->status < 400)
		return "redirect_refused";
	return a->status < 500 ? "refused" : "receiver_error";
}

/* Seconds that the receiver asks for, within our bound; 0 = none or not readable. */
static int64_t asked_s(const struct attempt *a)
{
	struct str text = str_trim(a->retry_after);
	int64_t s = 0, at = 0;

	if (text.n == 0)
		return 0;
	if (!str_to_i64(text, &s)) {
		if (clock_parse_http(text, &at) != RC_OK)
			return 0;
		s = (at - a->wall) / CLOCK_S;
	}
	if (s < 0)
		return 0;
	return s < ATTEMPT_WAIT_MAX_S ? s : ATTEMPT_WAIT_MAX_S;
}

/* The table's pause ± 10 %, or what the receiver asked for when that is longer. */
static int64_t pause_ms(const struct attempt *a)
{
	int64_t table = ATTEMPT_PAUSES_S[a->before] * 1000;
	int64_t spread =
		(int64_t)(a->random % (2 * JITTER_PERCENT * 100 + 1)) - JITTER_PERCENT * 100;
	int64_t asked = asked_s(a) * 1000;

	table += table / PERCENT * spread / 100;
	table = table * a->scale_ppm / ATTEMPT_SCALE_ONE;
	return table > asked ? table : asked;
}

void attempt_judge(const struct attempt *a, struct delivery_result *ret)
{
	ret->status = a->status;
	ret->error = name_of(a);
	ret->delay_ms = 0;
	if (is_success(a->status)) {
		ret->end = DELIVERY_DONE;
	} else if (a->status == GONE) {
		ret->end = DELIVERY_GONE;
		ret->error = "gone";
	} else if (a->before + 1 >= ATTEMPT_MAX) {
		ret->end = DELIVERY_EXHAUSTED;
	} else {
		ret->end = DELIVERY_AGAIN;
		ret->delay_ms = pause_ms(a);
	}
}
