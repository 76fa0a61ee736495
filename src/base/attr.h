/*
 * base/attr - the three compiler attributes the house style uses.
 *
 * CLEANUP(thing) releases a pointer at the end of its scope through thing_free().
 */
#ifndef BASE_ATTR_H
#define BASE_ATTR_H

#define NODISCARD __attribute__((warn_unused_result))
#define PRINTF(format_index, first_arg) __attribute__((format(printf, format_index, first_arg)))
#define CLEANUP(type) __attribute__((cleanup(type##_cleanup)))

/* Defines type_cleanup(), which CLEANUP(type) calls with the variable's address. */
#define DEFINE_CLEANUP(type)                                                                       \
    static inline void type##_cleanup(struct type **p)                                             \
    {                                                                                              \
        type##_free(*p);                                                                           \
    }

#endif
