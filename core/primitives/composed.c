/** Operations made of rows, with the rules of these: silu, gelu, prod, any, all.
 *
 *  gelu x = x (1 + erf(x / sqrt 2)) / 2 (Hendrycks and Gimpel, arXiv:1606.08415), without their
 *  approximation by tanh. A product over an axis multiplies halves, log2 n products of arrays, in
 * an order that depends on the extent alone; so its derivative is right at zeros, which that of
 *  exp(sum(log x)) is not. Masks are counted.
 */
#include <math.h>

#include "primitives/build_impl.h"
#include "primitives/reduce_impl.h"

saros_value saros_silu(saros_value x) {
    return saros_mul(x, saros_sigmoid(x));
}

saros_value saros_gelu(saros_value x) {
    saros_value bad;
    if (saros_operands_bad("saros_gelu", 1, &x, &bad)) return bad;
    saros_value e = saros_erf(saros_mul(x, saros_like(x, M_SQRT1_2)));
    saros_value half = saros_like(e, 0.5);
    return saros_mul(x, saros_fma(half, e, half));
}

/** The product over axis `a`, of which one entry is left. */
static saros_value fold(saros_value x, int a) {
    saros_value odd = SAROS_NONE;
    for (int64_t n = saros_value_type(x)->shape[a]; n > 1; n /= 2) {
        const int64_t half = n / 2;
        if (n % 2) {
            saros_value last = saros_slice(x, a, n - 1, n, 1);
            odd = saros_is_none(odd) ? last : saros_mul(odd, last);
        }
        x = saros_mul(saros_slice(x, a, 0, half, 1), saros_slice(x, a, half, 2 * half, 1));
        if (saros_is_poisoned(x)) return x;
    }
    return saros_is_none(odd) ? x : saros_mul(x, odd);
}

saros_value saros_prod(saros_value x, uint32_t axes) {
    saros_value bad;
    if (saros_operands_bad("saros_prod", 1, &x, &bad)) return bad;
    if (saros_reduce_axes("saros_prod", x, axes) != SAROS_OK) return saros_poison(x.graph);
    if (saros_value_dtype(x) == SAROS_BOOL) x = saros_cast(x, SAROS_I64);
    saros_type kept = *saros_value_type(x);
    const int64_t *shape = saros_value_type(x)->shape;
    kept.rank = 0;
    for (int a = 0, rank = saros_value_type(x)->rank; a < rank; ++a)
        if (!(axes >> a & 1)) kept.shape[kept.rank++] = shape[a];
    for (int a = 0, rank = saros_value_type(x)->rank; a < rank; ++a) {
        if (!(axes >> a & 1)) continue;
        if (saros_value_type(x)->shape[a] == 0)
            return saros_broadcast(saros_like(x, 1), kept.rank, kept.shape, NULL);
        x = fold(x, a);
        if (saros_is_poisoned(x)) return x;
    }
    return saros_reshape(x, kept.rank, kept.shape);
}

saros_value saros_any(saros_value x, uint32_t axes) {
    saros_value bad;
    if (saros_operands_bad("saros_any", 1, &x, &bad)) return bad;
    if (saros_value_dtype(x) != SAROS_BOOL) x = saros_ne(x, saros_like(x, 0));
    saros_value count = saros_sum(x, axes);
    return saros_lt(saros_like(count, 0), count);
}

saros_value saros_all(saros_value x, uint32_t axes) {
    saros_value bad;
    if (saros_operands_bad("saros_all", 1, &x, &bad)) return bad;
    if (saros_value_dtype(x) != SAROS_BOOL) x = saros_ne(x, saros_like(x, 0));
    return saros_not(saros_any(saros_not(x), axes));
}
