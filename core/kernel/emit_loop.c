/** The loop nest of a kernel as LLVM IR: a loop over rows around a loop over full vectors; what is
 *  left of a row is a vector with a mask.
 *
 *  Few operations stand twice, the second time behind masked loads and stores. Many stand once,
 *  because what the code generator takes grows with them: after the full vectors of a row its
 *  tail is brought to memory aside, the loop goes through that one vector, and what it stored there
 *  is stored under the mask.
 */
#include <stdio.h>
#include <string.h>

#include "kernel/emit_impl.h"

static saros_dtype stored_dtype(const saros_emitter *e, int m) {
    return saros_fused_dtype(e->k, e->k->out[m]);
}

/** Whether store `m` is kept in registers along a row. */
static bool in_lanes(const saros_emitter *e, int m) {
    return e->k->reduce[m] && e->pattern.mode != SAROS_NEST_COLUMNS;
}

static bool any_in_lanes(const saros_emitter *e) {
    for (int m = 0; m < e->k->outs; ++m)
        if (in_lanes(e, m)) return true;
    return false;
}

static bool is_still(const saros_emitter *e, int o) {
    return e->pattern.still >> o & 1;
}

void saros_put_loads(saros_emitter *e, bool masked) {
    memset(e->unordered, 0, sizeof e->unordered);
    for (int o = 0; o < e->k->ins; ++o)
        if (!is_still(e, o)) saros_put_load(e, o, masked);
    for (int k = 0; k < e->k->operations; ++k) saros_put_operation(e, k);
}

static void put_body(saros_emitter *e, const char *tag, bool masked) {
    const char *mask = e->once ? "on" : masked ? "mask" : NULL;
    e->tag = tag;
    saros_put_loads(e, masked);
    for (int m = 0; m < e->k->outs; ++m) {
        char from[32], to[32];
        snprintf(from, sizeof from, "acc_%s%d", masked ? "t" : "m", m);
        snprintf(to, sizeof to, "acc_%s%d", masked ? "u" : "n", m);
        if (in_lanes(e, m))
            saros_put_fold(e, m, from, to, mask);
        else
            saros_put_store(e, m, masked);
    }
}

void saros_put_mask(saros_emitter *e) {
    saros_put(e, "  %%left = sub i64 %%n, %%full\n");
    saros_put(e, "  %%left_i = insertelement <%d x i64> undef, i64 %%left, i32 0\n", e->lanes);
    saros_put(e,
              "  %%left_v = shufflevector <%d x i64> %%left_i, <%d x i64> undef, <%d x i32> "
              "zeroinitializer\n",
              e->lanes, e->lanes, e->lanes);
    saros_put(e, "  %%mask = icmp slt <%d x i64> <", e->lanes);
    for (int l = 0; l < e->lanes; ++l) saros_put(e, "%si64 %d", l ? ", " : "", l);
    saros_put(e, ">, %%left_v\n");
}

/* ---- lanes of sums and extremes ---- */

/** What the lanes of store `m` hold when a row begins. */
static void put_begin(saros_emitter *e, int m) {
    const saros_dtype dtype = stored_dtype(e, m);
    const int lanes = e->lanes;
    e->lanes = saros_reduce_lanes(e, m);
    if (e->pattern.mode == SAROS_NEST_ALL)
        saros_put(e, "%%acc_r%d", m);
    else
        saros_put_vector(e, dtype, saros_reduce_neutral(e->k->reduce[m], dtype));
    e->lanes = lanes;
}

/** %acc_<to>: the lanes as they come from two blocks; `a` NULL: as a row begins. */
static void put_phi(saros_emitter *e, const char *to, const char *a, const char *block_a,
                    const char *b, const char *block_b) {
    for (int m = 0; m < e->k->outs; ++m) {
        if (!in_lanes(e, m)) continue;
        saros_put(e, "  %%acc_%s%d = phi <%d x %s> [ ", to, m, saros_reduce_lanes(e, m),
                  saros_put_scalar(stored_dtype(e, m)));
        if (a)
            saros_put(e, "%%acc_%s%d", a, m);
        else
            put_begin(e, m);
        saros_put(e, ", %%%s ], [ %%acc_%s%d, %%%s ]\n", block_a, b, m, block_b);
    }
}

/** Lanes that live through all rows start once. */
static void put_first(saros_emitter *e) {
    if (e->pattern.mode != SAROS_NEST_ALL) return;
    e->pattern.mode = SAROS_NEST_ROWS;
    put_phi(e, "r", NULL, "entry", "e", "row_end");
    e->pattern.mode = SAROS_NEST_ALL;
}

static void put_last(saros_emitter *e, saros_nest_mode mode) {
    char name[32];
    for (int m = 0; m < e->k->outs; ++m) {
        if (!in_lanes(e, m) || e->pattern.mode != mode) continue;
        snprintf(name, sizeof name, "acc_e%d", m);
        saros_put_last(e, m, name);
    }
}

/* ---- operations twice ---- */

static void put_row_twice(saros_emitter *e) {
    saros_put(e, "  %%any = icmp ne i64 %%full, 0\n"
                 "  br i1 %%any, label %%main, label %%tail_test\n");
    saros_put(e, "main:\n  %%mi = phi i64 [ 0, %%rows ], [ %%mi_next, %%main ]\n");
    put_phi(e, "m", NULL, "rows", "n", "main");
    put_body(e, "m", false);
    saros_put(e, "  %%mi_next = add i64 %%mi, %d\n  %%more = icmp slt i64 %%mi_next, %%full\n",
              e->lanes);
    saros_put(e, "  br i1 %%more, label %%main, label %%tail_test\ntail_test:\n");
    put_phi(e, "t", NULL, "rows", "n", "main");
    saros_put(e, "  %%rest = icmp slt i64 %%full, %%n\n"
                 "  br i1 %%rest, label %%tail, label %%row_end\n"
                 "tail:\n  %%ti = add i64 %%full, 0\n");
    if (saros_bundle_rows(e) == 1) saros_put_mask(e);
    put_body(e, "t", true);
    saros_put(e, "  br label %%row_end\nrow_end:\n");
    put_phi(e, "e", "t", "tail_test", "u", "tail");
}

/* ---- operations once ---- */

static void put_entry_once(saros_emitter *e) {
    saros_put(e, "  %%rest = icmp slt i64 %%full, %%n\n  %%ti = add i64 %%full, 0\n"
                 "  %%ui = add i64 %%full, 0\n");
    saros_put_mask(e);
    for (int o = 0; o < e->k->ins; ++o)
        if (!is_still(e, o)) saros_put_aside(e, "b", o, e->k->in[o]);
    for (int m = 0; m < e->k->outs; ++m)
        if (!in_lanes(e, m)) saros_put_aside(e, "d", m, stored_dtype(e, m));
}

/** %<to>: the row or the memory aside. */
static void put_place(saros_emitter *e, const char *to, const char *row, const char *aside, int o,
                      saros_dtype dtype) {
    saros_put(e, "  %%%s%d = phi %s* [ %%%s%d, %%rows ], [ %%%s%d, %%tail ]\n", to, o,
              saros_put_memory(dtype), row, o, aside, o);
}

static void put_pass(saros_emitter *e) {
    saros_put(e, "  br label %%pass\npass:\n");
    saros_put(e, "  %%last = phi i1 [ false, %%rows ], [ true, %%tail ]\n");
    saros_put(e, "  %%count = phi i64 [ %%full, %%rows ], [ %d, %%tail ]\n", e->lanes);
    for (int o = 0; o < e->k->ins; ++o)
        if (!is_still(e, o)) put_place(e, "x", "r", "b", o, e->k->in[o]);
    for (int m = 0; m < e->k->outs; ++m)
        if (!in_lanes(e, m)) put_place(e, "y", "w", "d", m, stored_dtype(e, m));
    if (any_in_lanes(e)) {
        saros_put(e, "  %%on = phi <%d x i1> [ ", e->lanes);
        saros_put_vector(e, SAROS_BOOL, 1);
        saros_put(e, ", %%rows ], [ %%mask, %%tail ]\n");
    }
    put_phi(e, "p", NULL, "rows", "t", "tail");
}

static void put_tail_once(saros_emitter *e) {
    saros_put(e, "  br i1 %%last, label %%out_tail, label %%test\n"
                 "test:\n  br i1 %%rest, label %%tail, label %%row_end\ntail:\n");
    e->tag = "t";
    for (int o = 0; o < e->k->ins; ++o)
        if (!is_still(e, o)) saros_put_tail_in(e, "r", "b", o, e->k->in[o]);
    for (int m = 0; m < e->k->outs; ++m)
        if (e->k->reduce[m] && !in_lanes(e, m))
            saros_put_tail_in(e, "w", "d", m, stored_dtype(e, m));
    saros_put(e, "  br label %%pass\nout_tail:\n");
    e->tag = "u";
    for (int m = 0; m < e->k->outs; ++m)
        if (!in_lanes(e, m)) saros_put_tail_out(e, "w", "d", m, stored_dtype(e, m));
    saros_put(e, "  br label %%row_end\nrow_end:\n");
    put_phi(e, "e", "t", "test", "t", "out_tail");
}

static void put_row_once(saros_emitter *e) {
    put_pass(e);
    saros_put(e, "  %%any = icmp ne i64 %%count, 0\n"
                 "  br i1 %%any, label %%main, label %%passed\n");
    saros_put(e, "main:\n  %%mi = phi i64 [ 0, %%pass ], [ %%mi_next, %%main ]\n");
    put_phi(e, "m", "p", "pass", "n", "main");
    put_body(e, "m", false);
    saros_put(e, "  %%mi_next = add i64 %%mi, %d\n  %%more = icmp slt i64 %%mi_next, %%count\n",
              e->lanes);
    saros_put(e, "  br i1 %%more, label %%main, label %%passed\npassed:\n");
    put_phi(e, "t", "p", "pass", "n", "main");
    put_tail_once(e);
}

/* ---- the function ---- */

void saros_put_function(saros_emitter *e, const char *name) {
    saros_put(e,
              "define void @%s(i64 %%m, i64 %%n, i8** %%in, i64* %%in_stride, i8** %%out, i64* "
              "%%out_stride) #0 {\n",
              name);
    saros_put(e, "entry:\n  %%full = and i64 %%n, %d\n", -e->lanes);
    if (e->once) put_entry_once(e);
    const int bundle = saros_bundle_rows(e);
    if (bundle > 1)
        saros_put_bundles(e, bundle);
    else
        saros_put(e, "  br label %%rows\n");
    saros_put(e, "rows:\n  %%row = phi i64 [ %s ], [ %%row_next, %%row_end ]\n",
              bundle > 1 ? "%at, %single_test" : "0, %entry");
    put_first(e);
    for (int o = 0; o < e->k->ins; ++o) saros_put_row(e, "in", "r", o, e->k->in[o]);
    for (int m = 0; m < e->k->outs; ++m) saros_put_row(e, "out", "w", m, stored_dtype(e, m));
    for (int o = 0; o < e->k->ins; ++o)
        if (is_still(e, o)) saros_put_still(e, o);
    if (e->once)
        put_row_once(e);
    else
        put_row_twice(e);
    put_last(e, SAROS_NEST_ROWS);
    saros_put(e, "  %%row_next = add i64 %%row, 1\n  %%again = icmp slt i64 %%row_next, %%m\n"
                 "  br i1 %%again, label %%rows, label %%done\ndone:\n");
    put_last(e, SAROS_NEST_ALL);
    saros_put(e, "%s  ret void\n}\n", e->pattern.stream ? "  fence seq_cst\n" : "");
}
