/** Directions of forward sensitivities: their vectors, what they move, their tolerances.
 *
 *  Without a tolerance of its own a tangent gets that of y divided by what a unit of the direction
 * is to the point it moves: |p|/|p'| over the entries that move.
 */
#include <math.h>

#include "nvector_impl.h"
#include "saros/memory.h"
#include "sundials_impl.h"

static saros_tensor *moved(const saros_sundials *r, int d, int operand) {
    return r->directions.along[(int64_t)d * (r->operands - r->leading + 1) + operand];
}

saros_status saros_sundials_directions_open(saros_sundials *r, int count,
                                            saros_tensor *const *along) {
    saros_sundials_directions *to = &r->directions;
    const int parameters = r->operands - r->leading;
    saros_status status = SAROS_OK;
    *to = (saros_sundials_directions){.count = count, .along = along};
    to->still = saros_allocate_zero((size_t)parameters + 1, sizeof *to->still);
    to->now = saros_allocate_zero((size_t)count + 1, sizeof *to->now);
    to->s = saros_allocate_zero((size_t)count + 1, sizeof *to->s);
    if (!to->still || !to->now || !to->s) return SAROS_ERR_MEMORY;
    for (int k = 0; k < parameters; ++k) {
        saros_type type = saros_tensor_type(r->operand[r->leading + k]);
        if (type.dtype == SAROS_F64)
            SAROS_TRY(saros_tensor_zeros(SAROS_F64, type.rank, type.shape, &to->still[k]));
    }
    for (int d = 0; d < count; ++d)
        SAROS_TRY(saros_sundials_vector(r, r->n, moved(r, d, 0), &to->s[d]));
done:
    return status;
}

void saros_sundials_directions_close(saros_sundials *r) {
    saros_sundials_directions *of = &r->directions;
    for (int d = 0; of->s && d < of->count; ++d)
        if (of->s[d]) N_VDestroy(of->s[d]);
    for (int k = 0; of->still && k < r->operands - r->leading; ++k)
        saros_tensor_release(of->still[k]);
    saros_release(of->still);
    saros_release(of->now);
    saros_release(of->s);
    *of = (saros_sundials_directions){0};
}

void saros_sundials_along(saros_sundials *r, int d, int at) {
    for (int k = 0; k < r->operands - r->leading; ++k) {
        saros_tensor *along = moved(r, d, 1 + k);
        if (r->directions.still[k]) r->operand[at++] = along ? along : r->directions.still[k];
    }
}

/* Adds the squares of x over the entries that v moves, and those of v. */
static saros_status add_squares(const saros_tensor *x, saros_tensor *v, double *of_x,
                                double *of_v) {
    saros_tensor *a = NULL, *b = NULL;
    saros_status status = saros_tensor_cast(x, SAROS_F64, &a);
    if (status == SAROS_OK) status = saros_tensor_cast(v, SAROS_F64, &b);
    for (int64_t i = 0; status == SAROS_OK && i < saros_tensor_count(a); ++i) {
        const double p = ((const double *)saros_tensor_const_data(a))[i],
                     q = ((const double *)saros_tensor_const_data(b))[i];
        if (q != 0) *of_x += p * p;
        *of_v += q * q;
    }
    saros_tensor_release(a);
    saros_tensor_release(b);
    return status;
}

/* |x|/|v| of the first operand that direction d moves away from zero, at most; 1 if there is none.
 */
static saros_status scale_of(const saros_sundials *r, saros_tensor *y0, int d, double *scale) {
    *scale = 0;
    for (int k = 0; k <= r->operands - r->leading; ++k) {
        saros_tensor *v = moved(r, d, k);
        double of_x = 0, of_v = 0;
        if (!v) continue;
        saros_status status = add_squares(k ? r->operand[r->leading + k - 1] : y0, v, &of_x, &of_v);
        if (status) return status;
        if (of_x > 0 && of_v > 0) *scale = fmax(*scale, sqrt(of_x / of_v));
    }
    if (!(*scale > 0)) *scale = 1;
    return SAROS_OK;
}

saros_status saros_sundials_tolerances(saros_sundials *r, saros_tensor *y0, double of_y,
                                       double atol, double **out) {
    double *to = saros_allocate(((size_t)r->directions.count + 1) * sizeof *to);
    if (!to) return SAROS_ERR_MEMORY;
    for (int d = 0; d < r->directions.count; ++d) {
        double scale = 1;
        saros_status status = scale_of(r, y0, d, &scale);
        if (status) {
            saros_release(to);
            return status;
        }
        to[d] = atol > 0 ? atol : of_y / scale;
    }
    *out = to;
    return SAROS_OK;
}
