/*
 * policy/freeze - code freezes: from one moment to another, or on days of the week, UTC.
 */
#include "policy/policy_internal.h"

#include "base/instant.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const char *const day_names[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

struct freeze_parts {
    struct freeze f;
    struct str_list days;
    struct str day_from;
    struct str day_until;
};

static const struct field freeze_fields[] = {
    {"name", FIELD_NAME, FIELD_OF(struct freeze_parts, f.name), true, 0, 0, 0, NULL},
    {"reason", FIELD_TEXT, FIELD_OF(struct freeze_parts, f.reason), false, 0, 0, 0, NULL},
    {"services", FIELD_TEXTS, FIELD_OF(struct freeze_parts, f.services), false, 0, 0, 0, NULL},
    {"from", FIELD_INSTANT, FIELD_OF(struct freeze_parts, f.from_ms), false, 0, 0, 0, NULL},
    {"until", FIELD_INSTANT, FIELD_OF(struct freeze_parts, f.until_ms), false, 0, 0, 0, NULL},
    {"days", FIELD_TEXTS, FIELD_OF(struct freeze_parts, days), false, 0, 0, 0, NULL},
    {"day_from", FIELD_TEXT, FIELD_OF(struct freeze_parts, day_from), false, 0, 0, 0, NULL},
    {"day_until", FIELD_TEXT, FIELD_OF(struct freeze_parts, day_until), false, 0, 0, 0, NULL},
};

/* "HH:MM", 00:00 to 24:00. */
static bool clock_time(struct str text, int64_t *ret_ms)
{
    uint64_t hours;
    uint64_t minutes;
    if (text.len != 5 || text.ptr[2] != ':' || !str_to_u64(str_slice(text, 0, 2), &hours) ||
        !str_to_u64(str_slice(text, 3, 5), &minutes) || minutes > 59 ||
        hours * 60 + minutes > (uint64_t)24 * 60) {
        return false;
    }
    *ret_ms = (int64_t)(hours * 60 + minutes) * MINUTE_MS;
    return true;
}

static enum rc read_days(struct reader *r, const struct value *v, struct freeze_parts *parts)
{
    for (uint32_t i = 0; i < parts->days.count; i++) {
        unsigned day = 0;
        while (day < 7 && !str_eq(parts->days.items[i], str_from(day_names[day]))) {
            day++;
        }
        if (day == 7) {
            return reader_fail(r, v, "days: expected mon, tue, wed, thu, fri, sat or sun");
        }
        parts->f.days |= 1U << day;
    }
    parts->f.day_until_ms = DAY_MS;
    if ((parts->day_from.len > 0 && !clock_time(parts->day_from, &parts->f.day_from_ms)) ||
        (parts->day_until.len > 0 && !clock_time(parts->day_until, &parts->f.day_until_ms)) ||
        parts->f.day_from_ms >= parts->f.day_until_ms) {
        return reader_fail(r, v, "day_from, day_until: expected HH:MM (UTC), the first before the second");
    }
    return RC_OK;
}

enum rc freeze_read(struct reader *r, const struct value *v, void *out)
{
    struct freeze_parts parts = {0};
    enum rc rc = read_fields(r, v, freeze_fields, COUNT(freeze_fields), &parts);
    if (rc == RC_OK && parts.days.count > 0) {
        rc = read_days(r, v, &parts);
    }
    if (rc != RC_OK) {
        return rc;
    }
    struct freeze *f = &parts.f;
    if (f->days == 0 && (parts.day_from.len > 0 || parts.day_until.len > 0)) {
        return reader_fail(r, v, "day_from and day_until go with days");
    }
    if (f->days == 0 && f->until_ms == 0) {
        return reader_fail(r, v, "a freeze needs an end: until, or days");
    }
    if (f->until_ms != 0 && f->until_ms <= f->from_ms) {
        return reader_fail(r, v, "until: expected a time after from");
    }
    *(struct freeze *)out = *f;
    return RC_OK;
}

static struct str clock_text(struct arena *a, int64_t ms)
{
    return arena_printf(a, "%02d:%02d", (int)(ms / HOUR_MS), (int)(ms / MINUTE_MS % 60));
}

struct value freeze_value(struct arena *a, const void *in)
{
    const struct freeze *f = in;
    struct value v = value_object();
    value_add_str(a, &v, STR("name"), f->name);
    if (f->reason.len > 0) {
        value_add_str(a, &v, STR("reason"), f->reason);
    }
    struct value services = value_array();
    for (uint32_t i = 0; i < f->services.count; i++) {
        value_push(a, &services, value_string(f->services.items[i]));
    }
    if (services.count > 0) {
        value_add(a, &v, STR("services"), services);
    }
    if (f->from_ms != 0) {
        value_add_instant(a, &v, STR("from"), f->from_ms);
    }
    if (f->until_ms != 0) {
        value_add_instant(a, &v, STR("until"), f->until_ms);
    }
    struct value days = value_array();
    for (unsigned d = 0; d < 7; d++) {
        if ((f->days >> d & 1U) != 0) {
            value_push(a, &days, value_string(str_from(day_names[d])));
        }
    }
    if (days.count > 0) {
        value_add(a, &v, STR("days"), days);
        value_add_str(a, &v, STR("day_from"), clock_text(a, f->day_from_ms));
        value_add_str(a, &v, STR("day_until"), clock_text(a, f->day_until_ms));
    }
    return v;
}

bool freeze_covers(const struct freeze *f, struct str service, int64_t now_ms, int64_t *ret_until)
{
    bool named = f->services.count == 0;
    for (uint32_t i = 0; i < f->services.count && !named; i++) {
        named = str_glob(f->services.items[i], service);
    }
    if (!named || now_ms < f->from_ms || (f->until_ms != 0 && now_ms >= f->until_ms)) {
        return false;
    }
    *ret_until = f->until_ms;
    if (f->days == 0) {
        return true;
    }
    int64_t day = now_ms / DAY_MS;
    int64_t of_day = now_ms % DAY_MS;
    unsigned weekday = (unsigned)((day + 3) % 7); /* 1970-01-01 was a Thursday */
    if ((f->days >> weekday & 1U) == 0 || of_day < f->day_from_ms || of_day >= f->day_until_ms) {
        return false;
    }
    int64_t end = day * DAY_MS + f->day_until_ms;
    *ret_until = f->until_ms != 0 && f->until_ms < end ? f->until_ms : end;
    return true;
}
