/** What runs backwards share: the weights of the outputs, the transposed pattern, the integral over
 * the parameters and its tolerances, and where the gradient goes. */
#include <math.h>
#include <string.h>

#include "nvector_impl.h"
#include "saros/memory.h"
#include "sparse_impl.h"
#include "sundials_impl.h"
#include "sunsparse_impl.h"

/* ---- weights and gradients ---- */

static saros_status keep_weight(saros_sundials_adjoint *a, const char *where, saros_tensor *y0,
                                int times, saros_tensor *weight) {
    const int64_t n = saros_tensor_count(y0), shape[2] = {times - a->first, n};
    if (times < 2)
        return saros_fail(SAROS_ERR_USAGE, where, NULL, "a gradient needs a time after the start");
    if (saros_tensor_rank(weight) != 2 || saros_tensor_shape(weight)[0] != shape[0] ||
        saros_tensor_shape(weight)[1] != n)
        return saros_fail(SAROS_ERR_SHAPE, where, NULL,
                          "the weights must be of shape (outputs, unknowns) = "
                          "(%lld, %lld)",
                          (long long)shape[0], (long long)n);
    saros_status status = saros_tensor_cast(weight, SAROS_F64, &a->weight);
    if (status) return status;
    const double *w = saros_tensor_const_data(a->weight);
    for (int64_t i = 0; i < shape[0] * n; ++i) a->scale = fmax(a->scale, fabs(w[i]));
    return SAROS_OK;
}

saros_status saros_sundials_adjoint_open(saros_sundials_adjoint *a, const char *where,
                                         saros_tensor *y0, int times, saros_tensor *weight,
                                         int parameters, saros_tensor *const *gradient) {
    saros_status status = keep_weight(a, where, y0, times, weight);
    for (int k = 0; k <= parameters && status == SAROS_OK; ++k)
        if (gradient[k])
            memset(saros_tensor_data(gradient[k]), 0,
                   (size_t)saros_tensor_count(gradient[k]) * sizeof(double));
    return status;
}

const double *saros_sundials_adjoint_weight(const saros_sundials_adjoint *a, int k) {
    return (const double *)saros_tensor_const_data(a->weight) +
           (k - a->first) * saros_tensor_shape(a->weight)[1];
}

saros_status saros_sundials_adjoint_hand_out(const saros_sundials_adjoint *a,
                                             const saros_sundials *r,
                                             saros_tensor *const *gradient) {
    const double *from = a->q ? saros_tensor_const_data(saros_nvector_tensor(a->q)) : NULL;
    saros_status status = SAROS_OK;
    for (int k = 0; k < r->operands - r->leading && status == SAROS_OK && from; ++k) {
        saros_type type = saros_tensor_type(r->operand[r->leading + k]);
        if (type.dtype != SAROS_F64) continue;
        saros_tensor *part = NULL;
        if (gradient[1 + k]) {
            status = saros_tensor_from(SAROS_F64, type.rank, type.shape, from, &part);
            if (status == SAROS_OK) status = saros_tensor_assign(gradient[1 + k], part);
            saros_tensor_release(part);
        }
        from += saros_type_count(&type);
    }
    return status;
}

void saros_sundials_adjoint_close(saros_sundials_adjoint *a) {
    if (a->solver) SUNLinSolFree(a->solver);
    if (a->matrix) SUNMatDestroy(a->matrix);
    if (a->l) N_VDestroy(a->l);
    if (a->q) N_VDestroy(a->q);
    if (a->q_atol) N_VDestroy(a->q_atol);
    saros_sparsity_release(a->pattern);
    saros_release(a->position);
    saros_release(a->values);
    saros_tensor_release(a->weight);
}

/* ---- vectors and tolerances ---- */

/* An entry of the gradient by p is compared with the scale of J over that of p. */
static saros_status fill_tolerances(saros_sundials_adjoint *a, const saros_sundials *r) {
    double *to = saros_tensor_data(saros_nvector_tensor(a->q_atol));
    for (int k = r->leading; k < r->operands; ++k) {
        saros_tensor *plain = NULL;
        if (saros_tensor_dtype(r->operand[k]) != SAROS_F64) continue;
        saros_status status = saros_tensor_cast(r->operand[k], SAROS_F64, &plain);
        if (status) return status;
        const double *p = saros_tensor_const_data(plain);
        for (int64_t i = 0; i < saros_tensor_count(plain); ++i)
            *to++ = p[i] != 0 ? a->atol / fabs(p[i]) : a->atol;
        saros_tensor_release(plain);
    }
    return SAROS_OK;
}

saros_status saros_sundials_adjoint_vectors(saros_sundials_adjoint *a, saros_sundials *r,
                                            const saros_function *pull) {
    const int64_t count = pull ? saros_type_count(saros_function_output_type(pull, 0)) : 0;
    saros_status status = saros_sundials_vector(r, r->n, NULL, &a->l);
    if (status || !count) return status;
    SAROS_TRY(saros_sundials_vector(r, count, NULL, &a->q));
    SAROS_TRY(saros_sundials_vector(r, count, NULL, &a->q_atol));
    SAROS_TRY(fill_tolerances(a, r));
done:
    return status;
}

/* ---- the transposed pattern ---- */

/* `entry` says which of the transposed pattern's entries each entry of `p` becomes. */
static saros_status transpose(const saros_sparsity *p, saros_sparsity **out, int64_t **entry) {
    const int64_t n = p->n;
    saros_status status = SAROS_OK;
    int64_t *row = saros_allocate_zero((size_t)(n + 2 + 2 * p->nonzeros), sizeof *row);
    if (!row) return SAROS_ERR_MEMORY;
    int64_t *column = row + n + 2, *to = column + p->nonzeros;
    for (int64_t k = 0; k < p->nonzeros; ++k) row[p->column[k] + 2]++;
    for (int64_t i = 2; i < n + 2; ++i) row[i] += row[i - 1];
    for (int64_t i = 0; i < n; ++i)
        for (int64_t k = p->row[i]; k < p->row[i + 1]; ++k) {
            to[k] = row[p->column[k] + 1]++;
            column[to[k]] = i;
        }
    status = saros_sparsity_make(n, row, column, out);
    if (status == SAROS_OK) {
        memmove(row, to, (size_t)p->nonzeros * sizeof *row);
        *entry = row;
        return SAROS_OK;
    }
    saros_release(row);
    return status;
}

saros_status saros_sundials_adjoint_direct(saros_sundials_adjoint *a, saros_sundials *r) {
    const saros_sparsity *pattern = saros_jacobian_sparsity(r->entries);
    saros_status status = SAROS_OK;
    a->values = saros_allocate((size_t)(pattern->nonzeros + 1) * sizeof *a->values);
    if (!a->values) return SAROS_ERR_MEMORY;
    SAROS_TRY(transpose(pattern, &a->pattern, &a->position));
    SAROS_TRY(saros_sundials_made(r, a->matrix = saros_sunmatrix_make(a->pattern, r->context)));
    a->solver = saros_sunsolver_make(a->pattern, r->context);
    if (!a->solver) status = saros_error_last()->status;
done:
    return status;
}

void saros_sundials_adjoint_values(saros_sundials_adjoint *a, double factor, SUNMatrix matrix) {
    double *to = saros_sunmatrix_values(matrix);
    for (int64_t k = 0; k < a->pattern->nonzeros; ++k) to[a->position[k]] = factor * a->values[k];
}
