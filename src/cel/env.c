/* Environments: the variables that expressions may name, and the classes behind them. */
#include "cel/lexer.h"
#include "cel/node.h"

#include <stdlib.h>

enum { ENV_MEMORY_MAX = 1 << 20, ENV_CLASSES_MAX = 256 };

struct cel_env {
    struct arena *arena;
    struct cel_declaration *variables;
    uint32_t count;
    const struct cel_class **classes;
    uint32_t class_count;
    struct cel_type *class_types; /* one of each class, for names */
};

struct cel_env *cel_env_new(void)
{
    struct cel_env *env = calloc(1, sizeof *env);
    if (env == NULL) {
        return NULL;
    }
    env->arena = arena_new(ENV_MEMORY_MAX);
    if (env->arena != NULL) {
        env->variables = arena_array(env->arena, CEL_VARIABLES_MAX, sizeof(struct cel_declaration));
        env->classes = arena_array(env->arena, ENV_CLASSES_MAX, sizeof(struct cel_class *));
        env->class_types = arena_array(env->arena, ENV_CLASSES_MAX, sizeof(struct cel_type));
    }
    if (env->arena == NULL || arena_rc(env->arena) != RC_OK) {
        cel_env_free(env);
        return NULL;
    }
    return env;
}

void cel_env_free(struct cel_env *env)
{
    if (env != NULL) {
        arena_free(env->arena);
        free(env);
    }
}

static bool part_is_name(struct str part)
{
    for (size_t i = 0; i < part.len; i++) {
        char c = part.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && (i == 0 || c < '0' || c > '9')) {
            return false;
        }
    }
    return part.len > 0 && !word_is_keyword(part);
}

/* Names with dots; a reserved word can't come first, where it would be a variable of its own. */
static bool is_variable_name(struct str name)
{
    struct str rest = name;
    struct str part;
    bool first = true;
    if (name.len == 0 || name.ptr[name.len - 1] == '.') {
        return false;
    }
    while (str_next(&rest, '.', &part)) {
        if (!part_is_name(part) || (first && word_is_reserved(part))) {
            return false;
        }
        first = false;
    }
    return true;
}

/* False when there are too many. */
static bool note_classes(struct cel_env *env, const struct cel_type *t)
{
    if (t == NULL) {
        return true;
    }
    if (t->kind != CEL_OBJECT || t->class == NULL) {
        return note_classes(env, t->item) && note_classes(env, t->key);
    }
    for (uint32_t i = 0; i < env->class_count; i++) {
        if (env->classes[i] == t->class) {
            return true;
        }
    }
    if (env->class_count >= ENV_CLASSES_MAX) {
        return false;
    }
    env->class_types[env->class_count] = (struct cel_type){.kind = CEL_OBJECT, .class = t->class};
    env->classes[env->class_count++] = t->class;
    for (uint32_t i = 0; i < t->class->count; i++) {
        if (!note_classes(env, t->class->fields[i].type)) {
            return false;
        }
    }
    return true;
}

enum rc cel_declare(struct cel_env *env, struct str name, const struct cel_type *type,
                    const char *doc, struct err *e)
{
    if (!is_variable_name(name)) {
        return err_set(e, RC_INVALID, "'%.*s' can't name a variable", STR_ARG(name));
    }
    if (env_find(env, name) != UINT32_MAX) {
        return err_set(e, RC_CONFLICT, "'%.*s' is declared already", STR_ARG(name));
    }
    if (env->count >= CEL_VARIABLES_MAX) {
        return err_set(e, RC_LIMIT, "more than %d variables", (int)CEL_VARIABLES_MAX);
    }
    struct str kept = arena_str(env->arena, name);
    if (arena_rc(env->arena) != RC_OK || !note_classes(env, type)) {
        return err_set(e, RC_LIMIT, "the declarations need too much memory");
    }
    env->variables[env->count] =
        (struct cel_declaration){.name = kept, .type = type, .doc = doc, .slot = env->count};
    env->count++;
    return RC_OK;
}

uint32_t cel_env_count(const struct cel_env *env)
{
    return env->count;
}

struct cel_declaration cel_env_at(const struct cel_env *env, uint32_t slot)
{
    must(slot < env->count);
    return env->variables[slot];
}

const struct cel_class *cel_env_class(const struct cel_env *env, uint32_t i)
{
    return i < env->class_count ? env->classes[i] : NULL;
}

uint32_t env_find(const struct cel_env *env, struct str name)
{
    for (uint32_t i = 0; i < env->count; i++) {
        if (str_eq(env->variables[i].name, name)) {
            return i;
        }
    }
    return UINT32_MAX;
}

const struct cel_type *env_type_named(const struct cel_env *env, struct str name)
{
    static const struct cel_type *const types[] = {
        &cel_null,   &cel_bool,      &cel_int,          &cel_uint,     &cel_double,
        &cel_string, &cel_bytes,     &cel_list_dyn,     &cel_map_dyn,  &cel_type_type,
        &cel_ip,     &cel_timestamp, &cel_optional_dyn, &cel_duration, &cel_cidr};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (str_eq(cel_type_name(types[i]), name)) {
            return types[i];
        }
    }
    for (uint32_t i = 0; i < env->class_count; i++) {
        if (str_eq(str_from(env->classes[i]->name), name)) {
            return &env->class_types[i];
        }
    }
    return NULL;
}
