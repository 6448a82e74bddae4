/** Inside of fusion: groups while they are made (fuse_group.c) and turned into kernels (fuse.c). */
#ifndef SAROS_FUSE_IMPL_H
#define SAROS_FUSE_IMPL_H

#include "graph_impl.h"
#include "kernel/kernel_impl.h"

/** A record that a group makes although it is a member of another one. */
typedef struct saros_fusion_entry {
    int32_t record, next; /**< next: entry of the same group, by records; -1: none */
} saros_fusion_entry;

/** Vertices: groups and records outside of groups; a record's vertex is its group's first record.
 */
typedef struct saros_fusion {
    const saros_body *body;
    const saros_graph *from;
    saros_graph *to;
    int64_t few; /**< elements below which a group is not worth code of its own */
    bool *live;
    int32_t *vertex; /**< per record: first record of its group, itself if alone */
    int32_t *next;   /**< per record: next member of the group, -1: last */
    int32_t *tail;   /**< per vertex: last member */
    int32_t *size;   /**< per vertex: operations; 0: no group */
    int32_t *loads;  /**< per vertex: values it loads, at most */
    int32_t *axes;   /**< per vertex: over which its members reduce; 0: none does; or TAKEN */
    int32_t *reader; /**< per vertex: oldest record outside that reads it */
    int32_t *group;  /**< vertices that are or were groups */
    int32_t groups;
    int32_t *loader;           /**< per value: vertex that was last to load it */
    int32_t *after;            /**< per record: ordered record that must come first, -1 */
    int32_t *stamp;            /**< per vertex: last walk that met it */
    int32_t *stack;            /**< vertices of a walk */
    int32_t *map;              /**< value of `from` -> value of `to` */
    bool *done;                /**< per vertex: emitted */
    bool *outside;             /**< per value: read outside of its group */
    int carries;               /**< inputs 1 … carries of the body are those of a loop */
    bool *carried, *stored;    /**< per value: a carry, an output */
    bool *parted, *read_whole; /**< per record: a join that is not made; read as one array */
    int32_t *number;           /**< per value: operand number in the kernel being made */
    saros_value *in;           /**< operands of the node being made */
    saros_value *out;
    int32_t *repeat; /**< per vertex: first entry of what it repeats, -1: nothing */
    saros_fusion_entry *entry;
    int32_t entries, room;
    int32_t *member; /**< records of the group being made, in order */
    int32_t members;
    int32_t tick;
    bool often; /**< of the kernels made */
    void *memory;
} saros_fusion;

enum {
    SAROS_FUSE_TAKEN =
        -1 /* in `axes`: another row takes what the group makes, nothing is reduced */
};

/** Whether the row may end a group: sum, max and min over axes. */
bool saros_fuse_reduces(const saros_primitive *row);
/** What record `n` adds to the `axes` of its group. */
int32_t saros_fuse_axes(const saros_fusion *fusion, int32_t n);
/** The index space of record `n`: type of its output, of its operand if it reduces or takes. */
const saros_type *saros_fuse_type(const saros_fusion *fusion, int32_t n);
/** Puts every live record into a group or leaves it alone: vertex, next, tail, size. */
void saros_fuse_group(saros_fusion *fusion);
/** Marks the joins of which kernels are to read the parts. */
void saros_fuse_mark_parted(saros_fusion *fusion);
/** What the loads of group `v`, values of `from`, are made of: operands of its node, in the order
 * of the cover; room for SAROS_KERNEL_PARTS. NULL: the loads as they are. */
saros_status saros_fuse_parts(saros_fusion *fusion, int32_t v, int loads, const int32_t *load,
                              saros_value *operand, saros_cover **cover);
/** Moves members of groups to the only group that reads them where that saves memory traffic. */
saros_status saros_fuse_sink(saros_fusion *fusion);
/** Lists what groups make again instead of loading it: repeat, entry. */
saros_status saros_fuse_repeat(saros_fusion *fusion);
/** Whether group `v` makes record `n` of another group again. */
bool saros_fuse_repeats(const saros_fusion *fusion, int32_t v, int32_t n);

#endif
