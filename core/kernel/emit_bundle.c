/** Sums and extremes of columns, several rows at a time, as LLVM IR.
 *
 *  The elements they are added to are as many as a row has: all of the first-level cache, read and
 * written again for every row, while one stream of loads comes from memory. With K rows at once
 * there are K streams, and what is added to goes to and fro once. Every column is still added up
 * row by row, so the bits are those of single rows.
 *
 *  For kernels of few operations that store nothing else and have no number that stands for a row.
 */
#include <stdio.h>

#include "kernel/emit_impl.h"

enum {
    MOST = 8,       /* rows of a bundle */
    POINTERS = 8,   /* of rows: as many as there are registers for */
    OPERATIONS = 24 /* of all rows */
};

int saros_bundle_rows(const saros_emitter *e) {
    const saros_fused *k = e->k;
    int rows = MOST;
    if (e->pattern.mode != SAROS_NEST_COLUMNS || e->once || e->pattern.still || k->ins == 0)
        return 1;
    for (int m = 0; m < k->outs; ++m)
        if (!k->reduce[m]) return 1;
    while (rows > 1 && (rows * k->ins > POINTERS || rows * k->operations > OPERATIONS)) rows /= 2;
    return rows;
}

/** Names of row r of a bundle: what ends those of its addresses, what begins those of a vector. */
typedef struct names {
    char set[4], tag[4];
} names;

static names names_of(int r, bool masked) {
    names n;
    snprintf(n.set, sizeof n.set, "%c", 'A' + r);
    snprintf(n.tag, sizeof n.tag, "%c%c", masked ? 't' : 'm', 'A' + r);
    return n;
}

/** The vector at %<place> of all rows, added to what is there. */
static void put_vectors(saros_emitter *e, int rows, const char *place, bool masked) {
    const names first = names_of(0, masked);
    char old[32], sum[32];
    for (int r = 0; r < rows; ++r) {
        const names n = names_of(r, masked);
        e->tag = n.tag;
        e->set = n.set;
        saros_put(e, "  %%%si = add i64 %%%s, 0\n", e->tag, place);
        saros_put_loads(e, masked);
        if (r == 0)
            for (int m = 0; m < e->k->outs; ++m) saros_put_old(e, m, masked);
        for (int m = 0; m < e->k->outs; ++m) {
            snprintf(old, sizeof old, r ? "bsum%s%d_%d" : "%sold%d", first.tag, m, r - 1);
            snprintf(sum, sizeof sum, r + 1 < rows ? "bsum%s%d_%d" : "%snew%d", first.tag, m, r);
            saros_put_added(e, m, old, sum);
        }
    }
    e->tag = first.tag;
    e->set = first.set;
    for (int m = 0; m < e->k->outs; ++m) saros_put_new(e, m, masked);
    e->set = "";
}

void saros_put_bundles(saros_emitter *e, int rows) {
    saros_put_mask(e);
    saros_put(e, "  br label %%bundle_test\nbundle_test:\n"
                 "  %%at = phi i64 [ 0, %%entry ], [ %%at_next, %%bundle_end ]\n");
    saros_put(e, "  %%at_next = add i64 %%at, %d\n  %%fits = icmp sle i64 %%at_next, %%m\n", rows);
    saros_put(e, "  br i1 %%fits, label %%bundle, label %%single_test\nbundle:\n");
    for (int r = 0; r < rows; ++r) {
        const names n = names_of(r, false);
        char row[8];
        e->set = n.set;
        saros_put(e, "  %%row%s = add i64 %%at, %d\n", e->set, r);
        snprintf(row, sizeof row, "r%s", e->set);
        for (int o = 0; o < e->k->ins; ++o) saros_put_row(e, "in", row, o, e->k->in[o]);
        snprintf(row, sizeof row, "w%s", e->set);
        for (int m = 0; m < e->k->outs && r == 0; ++m)
            saros_put_row(e, "out", row, m, saros_fused_dtype(e->k, e->k->out[m]));
    }
    saros_put(e, "  %%bundle_any = icmp ne i64 %%full, 0\n"
                 "  br i1 %%bundle_any, label %%bundle_main, label %%bundle_tail_test\n"
                 "bundle_main:\n"
                 "  %%bi = phi i64 [ 0, %%bundle ], [ %%bi_next, %%bundle_main ]\n");
    put_vectors(e, rows, "bi", false);
    saros_put(e, "  %%bi_next = add i64 %%bi, %d\n", e->lanes);
    saros_put(e, "  %%bundle_more = icmp slt i64 %%bi_next, %%full\n"
                 "  br i1 %%bundle_more, label %%bundle_main, label %%bundle_tail_test\n"
                 "bundle_tail_test:\n  %%bundle_rest = icmp slt i64 %%full, %%n\n"
                 "  br i1 %%bundle_rest, label %%bundle_tail, label %%bundle_end\n"
                 "bundle_tail:\n");
    put_vectors(e, rows, "full", true);
    saros_put(e, "  br label %%bundle_end\nbundle_end:\n  br label %%bundle_test\n"
                 "single_test:\n  %%some = icmp slt i64 %%at, %%m\n"
                 "  br i1 %%some, label %%rows, label %%done\n");
}
