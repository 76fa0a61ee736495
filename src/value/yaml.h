/*
 * value/yaml - configuration text to values.
 *
 * One document of YAML 1.1 through libyaml, with the parts that surprise people taken out: plain
 * scalars are typed by the JSON rules (true, false, null, integers, decimals; nothing at all is
 * null; everything else is a string: yes, no, on, off, 0777 and 12:30 stay strings), and anchors,
 * aliases, tags, merge keys, several documents, non-string keys, duplicate keys and numbers that
 * the JSON reader would refuse are errors. Every value carries its line and column. Pure (libyaml
 * parses memory).
 */
#ifndef VALUE_YAML_H
#define VALUE_YAML_H

#include "value/value.h"

enum {
    YAML_DEPTH_MAX = 32,
    YAML_TEXT_MAX = 8 << 20, /* bytes of one file */

    YAML_STREAM_DEPTH_MAX = 100,
    YAML_STREAM_MAX = 64 << 20,       /* bytes */
    YAML_DOCUMENTS_MAX = 10000,       /* of one stream */
    YAML_ANCHORS_MAX = 10000,         /* of one document */
    YAML_STREAM_NODES_MAX = 1 << 22,  /* values of one stream, with every alias written out */
};

/*
 * file is for messages: every error's `where` is "file:line:column". Gives: a value wholly in a.
 * An empty document is an empty object.
 */
NODISCARD enum rc yaml_parse(struct arena *a, struct str file, struct str text, struct value *ret,
                             struct err *e);

/*
 * What people wrote for other tools: any number of documents, as a list. Aliases stand for what their anchor names (an
 * alias inside that is refused), "<<" merges, keys and numbers that JSON does not have are texts, tags are passed over
 * (of !!str is a text). Plain scalars are typed as above. An alias shares its anchor's memory; what a walk over the result
 * would meet is limited. The place of an error is "file#document:line:column", the document counted from 1.
 */
NODISCARD enum rc yaml_parse_stream(struct arena *a, struct str file, struct str text, struct value *ret,
                                    struct err *e);

#endif
