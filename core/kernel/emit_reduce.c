/** Reduced stores of a kernel as LLVM IR.
 *
 *  A row is reduced in lanes of 64 bytes at every vector width (8 lanes in f64, 16 in f32): lane l
 * takes elements l, l + 8, …; then halves are combined until one element is left. So results are
 * the same on all machines. In the masked tail the neutral element is selected after the
 * operations, for these may turn the zeros that a masked load gives into anything. */
#include <math.h>
#include <stdio.h>

#include "kernel/emit_impl.h"
#include "saros/rows.h"

int64_t saros_reduce_neutral(const saros_primitive *row, saros_dtype dtype) {
    if (row == &saros_row_sum) return 0; /* also the bits of +0 */
    const bool low = row == &saros_row_max;
    if (saros_dtype_is_float(dtype)) return saros_bits(low ? -INFINITY : INFINITY);
    if (dtype == SAROS_I32) return low ? INT32_MIN : INT32_MAX;
    return low ? INT64_MIN : INT64_MAX;
}

static saros_dtype dtype_of(const saros_emitter *e, int m) {
    return saros_fused_dtype(e->k, e->k->out[m]);
}

int saros_reduce_lanes(const saros_emitter *e, int m) {
    return 64 / (int)saros_dtype_bytes(dtype_of(e, m));
}

/** `%name = a + b`, or the larger, or the smaller; NaN in either wins. */
static void combine(saros_emitter *e, int m, int lanes, const char *name, const char *a,
                    const char *b) {
    const saros_dtype dtype = dtype_of(e, m);
    const bool real = saros_dtype_is_float(dtype);
    const char *type = saros_put_scalar(dtype);
    if (e->k->reduce[m] == &saros_row_sum) {
        saros_put(e, "  %%%s = %s <%d x %s> %%%s, %%%s\n", name, real ? "fadd" : "add", lanes, type,
                  a, b);
        return;
    }
    const bool most = e->k->reduce[m] == &saros_row_max;
    const char *test = real ? most ? "fcmp oge" : "fcmp ole" : most ? "icmp sge" : "icmp sle";
    saros_put(e, "  %%%s_a = %s <%d x %s> %%%s, %%%s\n", name, test, lanes, type, a, b);
    if (real) {
        saros_put(e, "  %%%s_b = fcmp uno <%d x %s> %%%s, %%%s\n", name, lanes, type, a, a);
        saros_put(e, "  %%%s_c = or <%d x i1> %%%s_a, %%%s_b\n", name, lanes, name, name);
    }
    saros_put(e, "  %%%s = select <%d x i1> %%%s_%s, <%d x %s> %%%s, <%d x %s> %%%s\n", name, lanes,
              name, real ? "c" : "a", lanes, type, a, lanes, type, b);
}

/** Lanes from … from + count - 1 of a vector of `lanes`. */
static void slice(saros_emitter *e, const char *name, const char *type, int lanes, const char *from,
                  int first, int count) {
    saros_put(e, "  %%%s = shufflevector <%d x %s> %%%s, <%d x %s> undef, <%d x i32> <", name,
              lanes, type, from, lanes, type, count);
    for (int l = 0; l < count; ++l) saros_put(e, "%si32 %d", l ? ", " : "", first + l);
    saros_put(e, ">\n");
}

/** A name for operand out[m], the neutral element where the mask is off. */
static void name_value(saros_emitter *e, int m, const char *name, const char *mask) {
    const char *type = saros_put_scalar(dtype_of(e, m));
    if (mask)
        saros_put(e, "  %%%s = select <%d x i1> %%%s, <%d x %s> ", name, e->lanes, mask, e->lanes,
                  type);
    else
        saros_put(e, "  %%%s = bitcast <%d x %s> ", name, e->lanes, type);
    saros_put_operand(e, e->k->out[m]);
    if (mask) {
        saros_put(e, ", <%d x %s> ", e->lanes, type);
        saros_put_vector(e, dtype_of(e, m), saros_reduce_neutral(e->k->reduce[m], dtype_of(e, m)));
    } else {
        saros_put(e, " to <%d x %s>", e->lanes, type);
    }
    saros_put(e, "\n");
}

void saros_put_fold(saros_emitter *e, int m, const char *from, const char *to, const char *mask) {
    const int lanes = saros_reduce_lanes(e, m), parts = e->lanes / lanes;
    char value[32], part[32], sum[32], last[32];
    snprintf(value, sizeof value, "acc_v%s%d", e->tag, m);
    snprintf(last, sizeof last, "%s", from);
    name_value(e, m, value, mask);
    for (int p = 0; p < parts; ++p) {
        snprintf(part, sizeof part, "acc_p%s%d_%d", e->tag, m, p);
        if (p + 1 < parts)
            snprintf(sum, sizeof sum, "acc_s%s%d_%d", e->tag, m, p);
        else
            snprintf(sum, sizeof sum, "%s", to);
        slice(e, part, saros_put_scalar(dtype_of(e, m)), e->lanes, value, p * lanes, lanes);
        combine(e, m, lanes, sum, last, part);
        snprintf(last, sizeof last, "%s", sum);
    }
}

void saros_put_added(saros_emitter *e, int m, const char *old, const char *name) {
    char value[32];
    snprintf(value, sizeof value, "acc_v%s%d", e->tag, m);
    name_value(e, m, value, NULL);
    combine(e, m, e->lanes, name, old, value);
}

void saros_put_last(saros_emitter *e, int m, const char *from) {
    const char *type = saros_put_scalar(dtype_of(e, m));
    char last[32], low[32], high[32], sum[32];
    snprintf(last, sizeof last, "%s", from);
    for (int lanes = saros_reduce_lanes(e, m); lanes > 1; lanes /= 2) {
        snprintf(low, sizeof low, "acc_l%d_%d", m, lanes);
        snprintf(high, sizeof high, "acc_h%d_%d", m, lanes);
        snprintf(sum, sizeof sum, "acc_x%d_%d", m, lanes);
        slice(e, low, type, lanes, last, 0, lanes / 2);
        slice(e, high, type, lanes, last, lanes / 2, lanes / 2);
        combine(e, m, lanes / 2, sum, low, high);
        snprintf(last, sizeof last, "%s", sum);
    }
    saros_put(e, "  %%acc_y%d = extractelement <1 x %s> %%%s, i32 0\n", m, type, last);
    saros_put(e, "  store %s %%acc_y%d, %s* %%w%d\n", type, m, type, m);
}
