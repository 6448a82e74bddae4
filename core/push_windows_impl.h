/** Inside of push_windows: arrays among their own entries, and what their windows are computed
 * from.
 */
#ifndef SAROS_PUSH_WINDOWS_IMPL_H
#define SAROS_PUSH_WINDOWS_IMPL_H

#include "graph_impl.h"

enum { SAROS_PUSH_SET = 8, SAROS_PUSH_ENTRIES = 8 };

/** Entries first … last-1 along an axis of value `id`. */
typedef struct saros_stretch {
    int32_t id;
    int64_t first, last;
} saros_stretch;

/** A concat of entries of x, x, and entries of x. */
typedef struct saros_around {
    int32_t record, x, windows, first; /**< first: its youngest window */
    int axis;
    saros_stretch left, right;         /**< of x; empty: nothing there */
    int32_t set[SAROS_PUSH_SET], sets; /**< what it is computed from instead; 0: it stays */
} saros_around;

typedef struct saros_pushing {
    const saros_graph *graph;
    saros_graph *to;
    bool *live;
    int32_t *map, *uses, *reached; /**< per value; reached: by how many of the list */
    int32_t *found, *next;         /**< per record: its place in the list; the next window; or -1 */
    saros_around *all;
    int32_t count;
    saros_value *in;
} saros_pushing;

static inline int64_t saros_stretch_length(const saros_stretch *s) {
    return s->last - s->first;
}

/** Lists the concats, and chooses for each that windows alone read what it is to be computed from;
 * false: all stay. */
bool saros_push_choose(saros_pushing *pushing, const saros_body *body);
/** Whether `id` is the same in all windows along the axis. */
bool saros_push_still(const saros_pushing *pushing, int32_t id, int axis);
/** Whether windows of `id` are at hand where c has windows of its x. */
bool saros_push_free(const saros_pushing *pushing, const saros_around *c, int32_t id);
/** What window first … last-1 of `c` holds if `id` stands for its x: at most SAROS_PUSH_ENTRIES
 * stretches; 0: more. */
int saros_push_list(const saros_pushing *pushing, const saros_around *c, int32_t id, int64_t first,
                    int64_t last, saros_stretch *list);
/** The concat before `by` around the one value of which the list is a window; its first entry in
 * *start. NULL: none. */
const saros_around *saros_push_find(const saros_pushing *pushing, const saros_around *by, int count,
                                    const saros_stretch *list, int64_t *start);

#endif
