/** Words that the expansions share: formats, constants, rows on bits, polynomials. */
#include <float.h>

#include "graph_impl.h"
#include "kernel/expand_impl.h"

static const saros_format formats[] = {
    {.dtype = SAROS_F64,
     .mantissa = 52,
     .lowest = -1022,
     .magic = 0x1.8p52,
     .ln2 = 0x1.62e42fefa39efp-1,
     .ln2_rest = 0x1.abc9e3b39803fp-56,
     .half_pi = {0x1.921fb54442d18p+0, 0x1.1a62633145c06p-54, 0x1.c1cd129024e08p-107},
     .overflow = 710,
     .vanish = -746,
     .saturate = 22,
     .tiny = 0x1p-60,
     .huge = 0x1p60},
    {.dtype = SAROS_F32,
     .mantissa = 23,
     .lowest = -126,
     .magic = 0x1.8p23,
     .ln2 = 0x1.62e43p-1,
     .ln2_rest = -0x1.05c610ca86c39p-29,
     .half_pi = {0x1.921fb4p+0, 0x1.4442dp-24, 0x1.846988p-48},
     .overflow = 89,
     .vanish = -104,
     .saturate = 10,
     .tiny = 0x1p-30,
     .huge = 0x1p30},
};
const saros_format *saros_format_of(saros_value x) {
    return &formats[saros_value_dtype(x) == SAROS_F32];
}

/* ---- constants ---- */

static saros_value splat(saros_value x, saros_dtype dtype, int64_t word) {
    if (x.id < 0) return x;
    saros_type type = *saros_value_type(x);
    type.dtype = dtype;
    int32_t id = saros_graph_splat_word(x.graph, &type, word);
    return id < 0 ? saros_poison(x.graph) : (saros_value){x.graph, id};
}

saros_value saros_expand_number(saros_value x, double c) {
    if (x.id < 0) return x;
    bool narrow = saros_format_of(x)->dtype == SAROS_F32;
    return splat(x, saros_format_of(x)->dtype, saros_bits(narrow ? (double)(float)c : c));
}

static saros_dtype integer_dtype(saros_value x) {
    return saros_dtype_bytes(saros_value_dtype(x)) == 4 ? SAROS_I32 : SAROS_I64;
}
saros_value saros_expand_integer(saros_value x, int64_t c) {
    return x.id < 0 ? x : splat(x, integer_dtype(x), c);
}

saros_value saros_expand_bits_of(saros_value x, double c) {
    if (x.id < 0) return x;
    union {
        float f;
        int32_t i;
    } narrow = {.f = (float)c};
    bool is_narrow = integer_dtype(x) == SAROS_I32;
    return saros_expand_integer(x, is_narrow ? (int64_t)narrow.i : saros_bits(c));
}

/* ---- rows on bits ---- */

static saros_value row1(const saros_primitive *row, saros_value a) {
    return saros_build(a.graph, row, NULL, 1, &a);
}
static saros_value row2(const saros_primitive *row, saros_value a, saros_value b) {
    return saros_build(a.graph, row, NULL, 2, (saros_value[]){a, b});
}
static saros_value shift(const saros_primitive *row, saros_value a, int64_t by) {
    return saros_build(a.graph, row, &(saros_attributes){.word = &by, .words = 1}, 1, &a);
}
saros_value saros_expand_bits(saros_value x) {
    return row1(&saros_row_bits, x);
}
saros_value saros_expand_from_bits(saros_value x) {
    return row1(&saros_row_from_bits, x);
}
saros_value saros_expand_left(saros_value x, int by) {
    return shift(&saros_row_shift_left, x, by);
}
saros_value saros_expand_right(saros_value x, int by) {
    return shift(&saros_row_shift_right, x, by);
}
saros_value saros_expand_and(saros_value a, saros_value b) {
    return row2(&saros_row_bit_and, a, b);
}

saros_value saros_expand_signed(saros_value y, saros_value x) {
    saros_value sign = saros_expand_and(saros_expand_bits(x), saros_expand_bits_of(x, -0.0));
    return saros_expand_from_bits(row2(&saros_row_bit_or, saros_expand_bits(y), sign));
}

saros_value saros_expand_turned(saros_value x, saros_value integer) {
    const saros_format *f = saros_format_of(x);
    saros_value sign = saros_expand_left(integer, f->dtype == SAROS_F32 ? 31 : 63);
    return saros_expand_from_bits(saros_add(saros_expand_bits(x), sign)); /* carries are lost */
}

/* ---- pieces ---- */

saros_value saros_expand_polynomial(saros_value x, const double *c, int n) {
    saros_value part[24], power = x;
    for (int k = 0; k < n; ++k) part[k] = saros_expand_number(x, c[k]);
    for (; n > 1; n = (n + 1) / 2) {
        for (int k = 0; k < n / 2; ++k) part[k] = saros_fma(part[2 * k + 1], power, part[2 * k]);
        if (n % 2) part[n / 2] = part[n - 1];
        if (n > 2) power = saros_mul(power, power);
    }
    return part[0];
}

saros_value saros_expand_at_most(saros_value x, double high) {
    saros_value c = saros_expand_number(x, high);
    return saros_where(saros_lt(c, x), c, x);
}
saros_value saros_expand_at_least(saros_value x, double low) {
    saros_value c = saros_expand_number(x, low);
    return saros_where(saros_lt(x, c), c, x);
}

saros_value saros_expand_power_of_two(saros_value n, saros_value like) {
    saros_value exponent = saros_expand_left(n, saros_format_of(like)->mantissa);
    return saros_expand_from_bits(saros_add(exponent, saros_expand_bits_of(like, 1.0)));
}
