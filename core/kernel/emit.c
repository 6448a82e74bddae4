/** Kernel description -> LLVM IR text: loop nest and memory.
 *
 *  Explicit vectors, twice the machine's width so that two chains run side by side; a loop over
 * rows around a loop over full vectors and one masked tail. The operations between loads and
 * stores are printed by emit_operation.c.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "kernel/emit_impl.h"
#include "saros/memory.h"

void saros_put(saros_emitter *e, const char *format, ...) {
    saros_text *t = &e->out;
    for (;;) {
        va_list args;
        va_start(args, format);
        int n = vsnprintf(t->data + t->used, t->room - t->used, format, args);
        va_end(args);
        if (n < 0) t->failed = true;
        if (t->failed) return;
        if ((size_t)n < t->room - t->used) {
            t->used += (size_t)n;
            return;
        }
        char *grown = saros_reallocate(t->data, 2 * t->room + (size_t)n);
        if (!grown) {
            t->failed = true;
            return;
        }
        t->room = 2 * t->room + (size_t)n;
        t->data = grown;
    }
}

const char *saros_put_scalar(saros_dtype dtype) {
    switch (dtype) {
    case SAROS_F64:
        return "double";
    case SAROS_F32:
        return "float";
    case SAROS_I64:
        return "i64";
    case SAROS_I32:
        return "i32";
    default:
        return "i1";
    }
}
const char *saros_put_memory(saros_dtype dtype) {
    return dtype == SAROS_BOOL ? "i8" : saros_put_scalar(dtype);
}
const char *saros_put_suffix(saros_dtype dtype) {
    return dtype == SAROS_F64 ? "f64" : "f32";
}

saros_dtype saros_fused_dtype(const saros_fused *k, int operand) {
    return operand < k->ins ? k->in[operand] : k->operation[operand - k->ins].dtype;
}

/* ---- memory ---- */

/** %<tag><name>: the address of the vector at this place of a row. */
static void put_address(saros_emitter *e, const char *name, const char *row, int o,
                        saros_dtype dtype) {
    const char *type = saros_put_memory(dtype);
    saros_put(e, "  %%%s%s%d_a = getelementptr %s, %s* %%%s%d, i64 %%%si\n", e->tag, name, o, type,
              type, row, o, e->tag);
    saros_put(e, "  %%%s%s%d = bitcast %s* %%%s%s%d_a to <%d x %s>*\n", e->tag, name, o, type,
              e->tag, name, o, e->lanes, type);
}

/** %<tag><to>: a vector from the address %<tag><address>. */
static void put_load_from(saros_emitter *e, const char *to, const char *address, int o,
                          saros_dtype dtype, bool masked) {
    const char *type = saros_put_memory(dtype);
    const char *name = saros_dtype_is_float(dtype) ? saros_put_suffix(dtype) : type;
    const int n = e->lanes, align = (int)saros_dtype_bytes(dtype);
    if (masked)
        saros_put(e,
                  "  %%%s%s%d = call <%d x %s> @llvm.masked.load.v%d%s.p0v%d%s(<%d x %s>* "
                  "%%%s%s%d, i32 %d, <%d x i1> %%mask, <%d x %s> zeroinitializer)\n",
                  e->tag, to, o, n, type, n, name, n, name, n, type, e->tag, address, o, align, n,
                  n, type);
    else
        saros_put(e, "  %%%s%s%d = load <%d x %s>, <%d x %s>* %%%s%s%d, align %d\n", e->tag, to, o,
                  n, type, n, type, e->tag, address, o, align);
}

static void put_load(saros_emitter *e, int o, bool masked) {
    const saros_dtype dtype = e->k->in[o];
    put_address(e, "q", "r", o, dtype);
    put_load_from(e, dtype == SAROS_BOOL ? "raw" : "", "q", o, dtype, masked);
    if (dtype == SAROS_BOOL)
        saros_put(e, "  %%%s%d = icmp ne <%d x i8> %%%sraw%d, zeroinitializer\n", e->tag, o,
                  e->lanes, e->tag, o);
}

/** What store `m` writes: operand out[m] in the form it has in memory. */
static void put_stored(saros_emitter *e, int m) {
    if (e->k->reduce[m])
        saros_put(e, "%%%snew%d", e->tag, m);
    else if (saros_fused_dtype(e->k, e->k->out[m]) == SAROS_BOOL)
        saros_put(e, "%%%sz%d", e->tag, m);
    else
        saros_put_operand(e, e->k->out[m]);
}

static void put_store(saros_emitter *e, int m, bool masked) {
    const saros_dtype dtype = saros_fused_dtype(e->k, e->k->out[m]);
    const char *type = saros_put_memory(dtype);
    const char *name = saros_dtype_is_float(dtype) ? saros_put_suffix(dtype) : type;
    const int n = e->lanes, size = (int)saros_dtype_bytes(dtype);
    put_address(e, "o", "w", m, dtype);
    if (e->k->reduce[m]) {
        char old[32], sum[32];
        snprintf(old, sizeof old, "%sold%d", e->tag, m);
        snprintf(sum, sizeof sum, "%snew%d", e->tag, m);
        put_load_from(e, "old", "o", m, dtype, masked);
        saros_put_added(e, m, old, sum);
    }
    if (dtype == SAROS_BOOL) {
        saros_put(e, "  %%%sz%d = zext <%d x i1> ", e->tag, m, n);
        saros_put_operand(e, e->k->out[m]);
        saros_put(e, " to <%d x i8>\n", n);
    }
    if (masked)
        saros_put(e, "  call void @llvm.masked.store.v%d%s.p0v%d%s(<%d x %s> ", n, name, n, name, n,
                  type);
    else
        saros_put(e, "  store <%d x %s> ", n, type);
    put_stored(e, m);
    saros_put(e, ", <%d x %s>* %%%so%d, ", n, type, e->tag, m);
    if (masked)
        saros_put(e, "i32 %d, <%d x i1> %%mask)\n", size, n);
    else if (e->pattern.stream && !e->k->reduce[m])
        saros_put(e, "align %d, !nontemporal !1\n", n * size < 64 ? n * size : 64);
    else
        saros_put(e, "align %d\n", size);
}

/** Whether store `m` is kept in registers along a row. */
static bool in_lanes(const saros_emitter *e, int m) {
    return e->k->reduce[m] && e->pattern.mode != SAROS_NEST_COLUMNS;
}

static void put_body(saros_emitter *e, const char *tag, bool masked) {
    e->tag = tag;
    for (int o = 0; o < e->k->ins; ++o)
        if (!(e->pattern.still >> o & 1)) put_load(e, o, masked);
    for (int k = 0; k < e->k->operations; ++k) saros_put_operation(e, k);
    for (int m = 0; m < e->k->outs; ++m) {
        char from[32], to[32];
        snprintf(from, sizeof from, "acc_%s%d", masked ? "t" : "m", m);
        snprintf(to, sizeof to, "acc_%s%d", masked ? "u" : "n", m);
        if (in_lanes(e, m))
            saros_put_fold(e, m, from, to, masked);
        else
            put_store(e, m, masked);
    }
}

/* ---- the loop nest ---- */

/** Typed address of operand o of kind in/out in this row: %r0, %w0. */
static void put_row_address(saros_emitter *e, const char *list, const char *result, int o,
                            saros_dtype dtype) {
    const char *type = saros_put_memory(dtype);
    saros_put(e, "  %%%s%d_a = getelementptr i8*, i8** %%%s, i64 %d\n", result, o, list, o);
    saros_put(e, "  %%%s%d_b = load i8*, i8** %%%s%d_a\n", result, o, result, o);
    saros_put(e, "  %%%s%d_c = getelementptr i64, i64* %%%s_stride, i64 %d\n", result, o, list, o);
    saros_put(e, "  %%%s%d_d = load i64, i64* %%%s%d_c\n", result, o, result, o);
    saros_put(e, "  %%%s%d_e = mul i64 %%%s%d_d, %%row\n", result, o, result, o);
    saros_put(e, "  %%%s%d_f = getelementptr i8, i8* %%%s%d_b, i64 %%%s%d_e\n", result, o, result,
              o, result, o);
    saros_put(e, "  %%%s%d = bitcast i8* %%%s%d_f to %s*\n", result, o, result, o, type);
}

static void put_still(saros_emitter *e, int o) {
    saros_dtype dtype = e->k->in[o];
    const char *type = saros_put_memory(dtype);
    saros_put(e, "  %%s%d_a = load %s, %s* %%r%d\n", o, type, type, o);
    if (dtype == SAROS_BOOL) saros_put(e, "  %%s%d_b = icmp ne i8 %%s%d_a, 0\n", o, o);
    const char *name = dtype == SAROS_BOOL ? "b" : "a";
    type = saros_put_scalar(dtype);
    saros_put(e, "  %%s%d_i = insertelement <%d x %s> undef, %s %%s%d_%s, i32 0\n", o, e->lanes,
              type, type, o, name);
    saros_put(
        e,
        "  %%s%d = shufflevector <%d x %s> %%s%d_i, <%d x %s> undef, <%d x i32> zeroinitializer\n",
        o, e->lanes, type, o, e->lanes, type, e->lanes);
}

static void put_mask(saros_emitter *e) {
    saros_put(e, "  %%left = sub i64 %%n, %%ti\n");
    saros_put(e, "  %%left_i = insertelement <%d x i64> undef, i64 %%left, i32 0\n", e->lanes);
    saros_put(e,
              "  %%left_v = shufflevector <%d x i64> %%left_i, <%d x i64> undef, <%d x i32> "
              "zeroinitializer\n",
              e->lanes, e->lanes, e->lanes);
    saros_put(e, "  %%mask = icmp slt <%d x i64> <", e->lanes);
    for (int l = 0; l < e->lanes; ++l) saros_put(e, "%si64 %d", l ? ", " : "", l);
    saros_put(e, ">, %%left_v\n");
}

/** What the lanes of store `m` hold when a row begins. */
static void put_begin(saros_emitter *e, int m) {
    const saros_dtype dtype = saros_fused_dtype(e->k, e->k->out[m]);
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
        const saros_dtype dtype = saros_fused_dtype(e->k, e->k->out[m]);
        saros_put(e, "  %%acc_%s%d = phi <%d x %s> [ ", to, m, saros_reduce_lanes(e, m),
                  saros_put_scalar(dtype));
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

static void put_function(saros_emitter *e, const char *name) {
    saros_put(e,
              "define void @%s(i64 %%m, i64 %%n, i8** %%in, i64* %%in_stride, i8** %%out, i64* "
              "%%out_stride) #0 {\n",
              name);
    saros_put(e, "entry:\n  %%full = and i64 %%n, %d\n  br label %%rows\n", -e->lanes);
    saros_put(e, "rows:\n  %%row = phi i64 [ 0, %%entry ], [ %%row_next, %%row_end ]\n");
    put_first(e);
    for (int o = 0; o < e->k->ins; ++o) put_row_address(e, "in", "r", o, e->k->in[o]);
    for (int m = 0; m < e->k->outs; ++m)
        put_row_address(e, "out", "w", m, saros_fused_dtype(e->k, e->k->out[m]));
    for (int o = 0; o < e->k->ins; ++o)
        if (e->pattern.still >> o & 1) put_still(e, o);
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
    put_mask(e);
    put_body(e, "t", true);
    saros_put(e, "  br label %%row_end\nrow_end:\n");
    put_phi(e, "e", "t", "tail_test", "u", "tail");
    put_last(e, SAROS_NEST_ROWS);
    saros_put(e, "  %%row_next = add i64 %%row, 1\n  %%again = icmp slt i64 %%row_next, %%m\n"
                 "  br i1 %%again, label %%rows, label %%done\ndone:\n");
    put_last(e, SAROS_NEST_ALL);
    saros_put(e, "%s  ret void\n}\n", e->pattern.stream ? "  fence seq_cst\n" : "");
}

/** Declarations of all intrinsics for the vector types of the text; unused ones cost nothing. */
static void put_declarations(saros_emitter *e) {
    static const struct {
        const char *name;
        int operands;
    } calls[] = {{"fma", 3}, {"sqrt", 1}, {"fabs", 1}, {"floor", 1}, {"rint", 1}};
    static const saros_dtype dtypes[] = {SAROS_F64, SAROS_F32, SAROS_I64, SAROS_I32, SAROS_BOOL};
    for (int d = 0; d < 5; ++d) {
        const char *type = saros_put_memory(dtypes[d]);
        const char *name = d < 2 ? saros_put_suffix(dtypes[d]) : type;
        for (int c = 0; d < 2 && c < 5; ++c) {
            saros_put(e, "declare <%d x %s> @llvm.%s.v%d%s(", e->lanes, type, calls[c].name,
                      e->lanes, name);
            for (int k = 0; k < calls[c].operands; ++k)
                saros_put(e, "%s<%d x %s>", k ? ", " : "", e->lanes, type);
            saros_put(e, ")\n");
        }
        saros_put(
            e,
            "declare <%d x %s> @llvm.masked.load.v%d%s.p0v%d%s(<%d x %s>*, i32, <%d x i1>, <%d x "
            "%s>)\n",
            e->lanes, type, e->lanes, name, e->lanes, name, e->lanes, type, e->lanes, e->lanes,
            type);
        saros_put(e,
                  "declare void @llvm.masked.store.v%d%s.p0v%d%s(<%d x %s>, <%d x %s>*, i32, <%d x "
                  "i1>)\n",
                  e->lanes, name, e->lanes, name, e->lanes, type, e->lanes, type, e->lanes);
    }
}

static int widest(const saros_fused *k) {
    size_t bytes = 4;
    for (int o = 0; o < k->ins + k->operations; ++o)
        if (saros_dtype_bytes(saros_fused_dtype(k, o)) > bytes)
            bytes = saros_dtype_bytes(saros_fused_dtype(k, o));
    return (int)bytes;
}

char *saros_kernel_emit(const saros_fused *kernel, saros_kernel_pattern pattern, int bits,
                        const char *name) {
    saros_emitter e = {.k = kernel, .pattern = pattern};
    e.lanes = bits / 8 / widest(kernel);
    if (kernel->operations <= 24) e.lanes *= 2;
    for (int m = 0; m < kernel->outs; ++m)
        if (in_lanes(&e, m) && e.lanes < saros_reduce_lanes(&e, m))
            e.lanes = saros_reduce_lanes(&e, m);
    e.out.room = 16384;
    e.out.data = saros_allocate(e.out.room);
    if (!e.out.data) return NULL;
    put_declarations(&e);
    put_function(&e, name);
    saros_put_far_functions(&e);
    saros_put(&e, "attributes #0 = { nounwind \"min-legal-vector-width\"=\"%d\" }\n", bits);
    saros_put(&e, "!1 = !{i32 1}\n");
    if (!e.out.failed) return e.out.data;
    saros_release(e.out.data);
    return NULL;
}
