/** Loads and stores of a kernel as LLVM IR: vectors at a place of a row, single elements, and the
 *  memory aside through which the tail of a row goes where the operations stand but once
 *  (emit_loop.c).
 */
#include <stdio.h>

#include "kernel/emit_impl.h"

/** Name of an intrinsic's type. */
static const char *suffix(saros_dtype dtype) {
    return saros_dtype_is_float(dtype) ? saros_put_suffix(dtype) : saros_put_memory(dtype);
}

/** %<tag><name>: the address of the vector at this place of the row %<row>. */
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
    const char *type = saros_put_memory(dtype), *name = suffix(dtype);
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

void saros_put_load(saros_emitter *e, int o, bool masked) {
    const saros_dtype dtype = e->k->in[o];
    char row[8];
    snprintf(row, sizeof row, "%s%s", e->once ? "x" : "r", e->set);
    put_address(e, "q", row, o, dtype);
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

static void put_masked_store(saros_emitter *e, saros_dtype dtype) {
    const char *type = saros_put_memory(dtype), *name = suffix(dtype);
    saros_put(e, "  call void @llvm.masked.store.v%d%s.p0v%d%s(<%d x %s> ", e->lanes, name,
              e->lanes, name, e->lanes, type);
}

static void put_store_address(saros_emitter *e, int m) {
    char row[8];
    snprintf(row, sizeof row, "%s%s", e->once ? "y" : "w", e->set);
    put_address(e, "o", row, m, saros_fused_dtype(e->k, e->k->out[m]));
}

void saros_put_old(saros_emitter *e, int m, bool masked) {
    put_store_address(e, m);
    put_load_from(e, "old", "o", m, saros_fused_dtype(e->k, e->k->out[m]), masked);
}

void saros_put_store(saros_emitter *e, int m, bool masked) {
    char old[32], sum[32];
    snprintf(old, sizeof old, "%sold%d", e->tag, m);
    snprintf(sum, sizeof sum, "%snew%d", e->tag, m);
    if (e->k->reduce[m]) {
        saros_put_old(e, m, masked);
        saros_put_added(e, m, old, sum);
    } else {
        put_store_address(e, m);
    }
    saros_put_new(e, m, masked);
}

void saros_put_new(saros_emitter *e, int m, bool masked) {
    const saros_dtype dtype = saros_fused_dtype(e->k, e->k->out[m]);
    const char *type = saros_put_memory(dtype);
    const int n = e->lanes, size = (int)saros_dtype_bytes(dtype);
    if (dtype == SAROS_BOOL) {
        saros_put(e, "  %%%sz%d = zext <%d x i1> ", e->tag, m, n);
        saros_put_operand(e, e->k->out[m]);
        saros_put(e, " to <%d x i8>\n", n);
    }
    if (masked)
        put_masked_store(e, dtype);
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

/* ---- rows ---- */

void saros_put_row(saros_emitter *e, const char *list, const char *result, int o,
                   saros_dtype dtype) {
    const char *type = saros_put_memory(dtype);
    saros_put(e, "  %%%s%d_a = getelementptr i8*, i8** %%%s, i64 %d\n", result, o, list, o);
    saros_put(e, "  %%%s%d_b = load i8*, i8** %%%s%d_a\n", result, o, result, o);
    saros_put(e, "  %%%s%d_c = getelementptr i64, i64* %%%s_stride, i64 %d\n", result, o, list, o);
    saros_put(e, "  %%%s%d_d = load i64, i64* %%%s%d_c\n", result, o, result, o);
    saros_put(e, "  %%%s%d_e = mul i64 %%%s%d_d, %%row%s\n", result, o, result, o, e->set);
    saros_put(e, "  %%%s%d_f = getelementptr i8, i8* %%%s%d_b, i64 %%%s%d_e\n", result, o, result,
              o, result, o);
    saros_put(e, "  %%%s%d = bitcast i8* %%%s%d_f to %s*\n", result, o, result, o, type);
}

void saros_put_still(saros_emitter *e, int o) {
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

/* ---- aside ---- */

void saros_put_aside(saros_emitter *e, const char *name, int o, saros_dtype dtype) {
    const char *type = saros_put_memory(dtype);
    saros_put(e, "  %%%s%d_v = alloca <%d x %s>, align 64\n", name, o, e->lanes, type);
    saros_put(e, "  %%%s%d = bitcast <%d x %s>* %%%s%d_v to %s*\n", name, o, e->lanes, type, name,
              o, type);
}

void saros_put_tail_in(saros_emitter *e, const char *row, const char *aside, int o,
                       saros_dtype dtype) {
    const char *type = saros_put_memory(dtype);
    char to[8], address[8];
    snprintf(to, sizeof to, "%sv", row);
    snprintf(address, sizeof address, "%sq", row);
    put_address(e, address, row, o, dtype);
    put_load_from(e, to, address, o, dtype, true);
    saros_put(e, "  store <%d x %s> %%%s%s%d, <%d x %s>* %%%s%d_v, align 64\n", e->lanes, type,
              e->tag, to, o, e->lanes, type, aside, o);
}

void saros_put_tail_out(saros_emitter *e, const char *row, const char *aside, int m,
                        saros_dtype dtype) {
    const char *type = saros_put_memory(dtype);
    put_address(e, "o", row, m, dtype);
    saros_put(e, "  %%%sv%d = load <%d x %s>, <%d x %s>* %%%s%d_v, align 64\n", e->tag, m, e->lanes,
              type, e->lanes, type, aside, m);
    put_masked_store(e, dtype);
    saros_put(e, "%%%sv%d, <%d x %s>* %%%so%d, i32 %d, <%d x i1> %%mask)\n", e->tag, m, e->lanes,
              type, e->tag, m, (int)saros_dtype_bytes(dtype), e->lanes);
}
