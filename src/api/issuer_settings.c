/*
 * api/issuer_settings - the list `identity` of the server's settings, read and checked.
 */
#include "api/issuers.h"

#include "model/world.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const char *const profiles[] = {"oidc", "spiffe", NULL};

struct issuer_parts {
    struct issuer_settings s;
    const struct value *subjects;
};

#define PART(member) FIELD_OF(struct issuer_parts, member)

static const struct field issuer_fields[] = {
    {"name", FIELD_NAME, PART(s.name), true, 0, 0, 0, NULL},
    {"issuer", FIELD_TEXT, PART(s.issuer), false, 0, 0, 0, NULL},
    {"audience", FIELD_TEXT, PART(s.audience), true, 0, 0, 0, NULL},
    {"jwks_file", FIELD_TEXT, PART(s.jwks_file), false, 0, 0, 0, NULL},
    {"jwks_url", FIELD_TEXT, PART(s.jwks_url), false, 0, 0, 0, NULL},
    {"profile", FIELD_WORD, PART(s.profile), false, JWT_OIDC, 0, 0, profiles},
    {"trust_domain", FIELD_TEXT, PART(s.trust_domain), false, 0, 0, 0, NULL},
    {"subjects", FIELD_VALUE, PART(subjects), true, 0, 0, 0, NULL},
};

struct subject_parts {
    struct subject_row row;
    struct str_list roles;
};

static const struct field subject_fields[] = {
    {"sub", FIELD_TEXT, FIELD_OF(struct subject_parts, row.sub), true, 0, 0, 0, NULL},
    {"agent", FIELD_TEXT, FIELD_OF(struct subject_parts, row.agent), false, 0, 0, 0, NULL},
    {"person", FIELD_TEXT, FIELD_OF(struct subject_parts, row.person), false, 0, 0, 0, NULL},
    {"roles", FIELD_TEXTS, FIELD_OF(struct subject_parts, roles), false, 0, 0, 0, NULL},
    {"groups", FIELD_TEXT, FIELD_OF(struct subject_parts, row.groups), false, 0, 0, 0, NULL},
};

/* A source is limited to services, and an agent is named as one. */
static enum rc read_roles(struct reader *r, const struct value *v, struct subject_parts *parts)
{
    for (uint32_t i = 0; i < parts->roles.count; i++) {
        unsigned role;
        bool known = role_parse(parts->roles.items[i], &role);
        if (!known || role == ROLE_AGENT || role == ROLE_SOURCE) {
            return reader_step(r, reader_fail(r, value_get(v, STR("roles")),
                                              "roles: expected viewer, auditor, responder, approver, override, admin or "
                                              "enforcer"), "roles");
        }
        parts->row.roles |= role;
    }
    return RC_OK;
}

static enum rc read_subject(struct reader *r, const struct value *v, struct subject_row *ret)
{
    struct subject_parts parts = {0};
    enum rc rc = read_fields(r, v, subject_fields, COUNT(subject_fields), &parts);
    rc = rc == RC_OK ? read_roles(r, v, &parts) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    struct subject_row *row = &parts.row;
    bool is_agent = str_is_name(row->agent) && row->person.len == 0 && row->roles == 0 && row->groups.len == 0;
    bool is_person = row->agent.len == 0 && row->person.len > 0 && row->person.len <= 128 && row->roles != 0;
    if (!is_agent && !is_person) {
        return reader_fail(r, v, "expected {sub, agent}, or {sub, person, roles} with a person of at most 128 bytes");
    }
    if (row->groups.len > 255 || (row->groups.len > 0 && (row->roles & ROLE_APPROVER) == 0)) {
        return reader_fail(r, v, "groups: expected groups of an approver, at most 255 bytes");
    }
    row->roles = is_agent ? ROLE_AGENT : row->roles;
    *ret = *row;
    return RC_OK;
}

static enum rc read_subjects(struct reader *r, const struct value *v, struct issuer_settings *s)
{
    if (!value_is(v, VALUE_ARRAY) || v->count == 0 || v->count > SUBJECTS_MAX) {
        return reader_fail(r, v, "subjects: expected a list of 1 to %d {sub, agent} or {sub, person, roles}", SUBJECTS_MAX);
    }
    struct subject_row *rows = arena_array(r->arena, v->count, sizeof *rows);
    for (uint32_t i = 0; rows != NULL && i < v->count; i++) {
        enum rc rc = read_subject(r, &v->items[i], &rows[i]);
        if (rc != RC_OK) {
            return reader_step_index(r, rc, i);
        }
    }
    s->subjects = rows;
    s->subject_count = v->count;
    return rows == NULL ? err_set(r->e, arena_rc(r->arena), "the configuration is too large") : RC_OK;
}

/* Keys that come over a network in the clear are anybody's. */
static bool url_is_safe(struct str url)
{
    static const char *const loopback[] = {"http://127.0.0.1", "http://[::1]", "http://localhost"};
    for (size_t i = 0; i < COUNT(loopback); i++) {
        struct str rest = str_slice(url, str_from(loopback[i]).len, url.len);
        if (str_starts(url, str_from(loopback[i])) && rest.len > 0 && (rest.ptr[0] == ':' || rest.ptr[0] == '/') &&
            str_find(rest, '@') == rest.len) {
            return true;
        }
    }
    return str_starts(url, STR("https://"));
}

static enum rc check_issuer(struct reader *r, const struct value *v, const struct issuer_settings *s)
{
    bool spiffe = s->profile == JWT_SPIFFE;
    if (spiffe ? s->trust_domain.len == 0 || s->issuer.len > 0 : s->issuer.len == 0 || s->trust_domain.len > 0) {
        return reader_fail(r, v, "expected issuer with profile oidc, trust_domain with profile spiffe");
    }
    if (str_find(s->issuer, ' ') < s->issuer.len) {
        return reader_fail(r, value_get(v, STR("issuer")), "issuer: expected a text without spaces");
    }
    if ((s->jwks_file.len > 0) == (s->jwks_url.len > 0)) {
        return reader_fail(r, v, "expected either jwks_file or jwks_url");
    }
    return s->jwks_url.len == 0 || url_is_safe(s->jwks_url)
               ? RC_OK
               : reader_fail(r, value_get(v, STR("jwks_url")), "jwks_url: expected https, or http on loopback");
}

static enum rc read_issuer(struct reader *r, const struct value *v, struct issuer_settings *ret)
{
    struct issuer_parts parts = {0};
    enum rc rc = read_fields(r, v, issuer_fields, COUNT(issuer_fields), &parts);
    rc = rc == RC_OK ? check_issuer(r, v, &parts.s) : rc;
    rc = rc == RC_OK ? reader_step(r, read_subjects(r, parts.subjects, &parts.s), "subjects") : rc;
    *ret = parts.s;
    return rc;
}

enum rc identity_settings_read(struct reader *r, const struct value *v, struct identity_settings *ret)
{
    if (v == NULL) {
        return RC_OK;
    }
    if (!value_is(v, VALUE_ARRAY) || v->count > ISSUERS_MAX) {
        return reader_fail(r, v, "identity: expected a list of at most %d issuers", ISSUERS_MAX);
    }
    struct issuer_settings *all = arena_array(r->arena, v->count, sizeof *all);
    if (all == NULL && v->count > 0) {
        return err_set(r->e, arena_rc(r->arena), "the configuration is too large");
    }
    for (uint32_t i = 0; i < v->count; i++) {
        enum rc rc = read_issuer(r, &v->items[i], &all[i]);
        for (uint32_t k = 0; rc == RC_OK && k < i; k++) {
            if (all[k].profile == all[i].profile && str_eq(all[k].issuer, all[i].issuer) &&
                str_eq(all[k].trust_domain, all[i].trust_domain)) {
                rc = reader_fail(r, &v->items[i], "the issuer is there twice");
            }
        }
        if (rc != RC_OK) {
            return reader_step_index(r, rc, i);
        }
    }
    *ret = (struct identity_settings){all, v->count};
    return RC_OK;
}

const struct subject_row *subject_find(const struct issuer_settings *i, struct str sub)
{
    for (uint32_t k = 0; k < i->subject_count; k++) {
        if (str_glob(i->subjects[k].sub, sub)) {
            return &i->subjects[k];
        }
    }
    return NULL;
}
