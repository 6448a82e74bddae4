/** Values whose elements are all the same number by construction. */
#ifndef SAROS_UNIFORM_IMPL_H
#define SAROS_UNIFORM_IMPL_H

#include "saros/graph.h"

/** What is known of the values of a graph; starts with zeros, ends with saros_release(of). */
typedef struct saros_uniforms {
    int32_t *of, room; /**< per id: 0 not asked, -1 not uniform, else 1 + id of the scalar */
} saros_uniforms;

/** The scalar that all elements of `v` equal, or SAROS_NONE; poisoned if memory runs out. */
saros_value saros_uniform(saros_uniforms *known, saros_value v);

#endif
