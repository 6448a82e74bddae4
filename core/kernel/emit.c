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

static void put_load(saros_emitter *e, int o, bool masked) {
    saros_dtype dtype = e->k->in[o];
    const char *type = saros_put_memory(dtype), *name = dtype == SAROS_BOOL ? "raw" : "";
    int align = (int)saros_dtype_bytes(dtype);
    saros_put(e, "  %%%sq%d = getelementptr %s, %s* %%r%d, i64 %%%si\n", e->tag, o, type, type, o,
              e->tag);
    saros_put(e, "  %%%sv%d = bitcast %s* %%%sq%d to <%d x %s>*\n", e->tag, o, type, e->tag, o,
              e->lanes, type);
    if (masked)
        saros_put(
            e,
            "  %%%s%s%d = call <%d x %s> @llvm.masked.load.v%d%s.p0v%d%s(<%d x %s>* %%%sv%d, i32 "
            "%d, "
            "<%d x i1> %%mask, <%d x %s> zeroinitializer)\n",
            e->tag, name, o, e->lanes, type, e->lanes,
            saros_dtype_is_float(dtype) ? saros_put_suffix(dtype) : type, e->lanes,
            saros_dtype_is_float(dtype) ? saros_put_suffix(dtype) : type, e->lanes, type, e->tag, o,
            align, e->lanes, e->lanes, type);
    else
        saros_put(e, "  %%%s%s%d = load <%d x %s>, <%d x %s>* %%%sv%d, align %d\n", e->tag, name, o,
                  e->lanes, type, e->lanes, type, e->tag, o, align);
    if (dtype == SAROS_BOOL)
        saros_put(e, "  %%%s%d = icmp ne <%d x i8> %%%sraw%d, zeroinitializer\n", e->tag, o,
                  e->lanes, e->tag, o);
}

static void put_store(saros_emitter *e, int m, bool masked) {
    int o = e->k->out[m];
    saros_dtype dtype = saros_fused_dtype(e->k, o);
    const char *type = saros_put_memory(dtype);
    const char *short_ = saros_dtype_is_float(dtype) ? saros_put_suffix(dtype) : type;
    if (dtype == SAROS_BOOL) {
        saros_put(e, "  %%%sz%d = zext <%d x i1> ", e->tag, m, e->lanes);
        saros_put_operand(e, o);
        saros_put(e, " to <%d x i8>\n", e->lanes);
    }
    saros_put(e, "  %%%so%d = getelementptr %s, %s* %%w%d, i64 %%%si\n", e->tag, m, type, type, m,
              e->tag);
    saros_put(e, "  %%%sov%d = bitcast %s* %%%so%d to <%d x %s>*\n", e->tag, m, type, e->tag, m,
              e->lanes, type);
    if (masked)
        saros_put(e, "  call void @llvm.masked.store.v%d%s.p0v%d%s(<%d x %s> ", e->lanes, short_,
                  e->lanes, short_, e->lanes, type);
    else
        saros_put(e, "  store <%d x %s> ", e->lanes, type);
    if (dtype == SAROS_BOOL)
        saros_put(e, "%%%sz%d", e->tag, m);
    else
        saros_put_operand(e, o);
    saros_put(e, ", <%d x %s>* %%%sov%d, ", e->lanes, type, e->tag, m);
    if (masked)
        saros_put(e, "i32 %d, <%d x i1> %%mask)\n", (int)saros_dtype_bytes(dtype), e->lanes);
    else
        saros_put(e, "align %d\n", (int)saros_dtype_bytes(dtype));
}

static void put_body(saros_emitter *e, const char *tag, bool masked) {
    e->tag = tag;
    for (int o = 0; o < e->k->ins; ++o)
        if (!(e->pattern.still >> o & 1)) put_load(e, o, masked);
    for (int k = 0; k < e->k->operations; ++k) saros_put_operation(e, k);
    for (int m = 0; m < e->k->outs; ++m) put_store(e, m, masked);
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

static void put_function(saros_emitter *e, const char *name) {
    saros_put(e,
              "define void @%s(i64 %%m, i64 %%n, i8** %%in, i64* %%in_stride, i8** %%out, i64* "
              "%%out_stride) #0 {\n",
              name);
    saros_put(e, "entry:\n  %%full = and i64 %%n, %d\n  br label %%rows\n", -e->lanes);
    saros_put(e, "rows:\n  %%row = phi i64 [ 0, %%entry ], [ %%row_next, %%row_end ]\n");
    for (int o = 0; o < e->k->ins; ++o) put_row_address(e, "in", "r", o, e->k->in[o]);
    for (int m = 0; m < e->k->outs; ++m)
        put_row_address(e, "out", "w", m, saros_fused_dtype(e->k, e->k->out[m]));
    for (int o = 0; o < e->k->ins; ++o)
        if (e->pattern.still >> o & 1) put_still(e, o);
    saros_put(e,
              "  %%any = icmp ne i64 %%full, 0\n  br i1 %%any, label %%main, label %%tail_test\n");
    saros_put(e, "main:\n  %%mi = phi i64 [ 0, %%rows ], [ %%mi_next, %%main ]\n");
    put_body(e, "m", false);
    saros_put(e, "  %%mi_next = add i64 %%mi, %d\n  %%more = icmp slt i64 %%mi_next, %%full\n",
              e->lanes);
    saros_put(e, "  br i1 %%more, label %%main, label %%tail_test\n");
    saros_put(e, "tail_test:\n  %%rest = icmp slt i64 %%full, %%n\n");
    saros_put(e,
              "  br i1 %%rest, label %%tail, label %%row_end\ntail:\n  %%ti = add i64 %%full, 0\n");
    put_mask(e);
    put_body(e, "t", true);
    saros_put(e, "  br label %%row_end\nrow_end:\n  %%row_next = add i64 %%row, 1\n");
    saros_put(e, "  %%again = icmp slt i64 %%row_next, %%m\n");
    saros_put(e, "  br i1 %%again, label %%rows, label %%done\ndone:\n  ret void\n}\n");
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
    e.out.room = 16384;
    e.out.data = saros_allocate(e.out.room);
    if (!e.out.data) return NULL;
    put_declarations(&e);
    put_function(&e, name);
    saros_put_far_functions(&e);
    saros_put(&e, "attributes #0 = { nounwind \"min-legal-vector-width\"=\"%d\" }\n", bits);
    if (!e.out.failed) return e.out.data;
    saros_release(e.out.data);
    return NULL;
}
