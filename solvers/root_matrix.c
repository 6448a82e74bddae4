/** J at a point, to be solved with: assembled and factorised, assembled for a Krylov method, or not
 * assembled at all. */
#include "root_impl.h"

#include <math.h>
#include <string.h>

#include "saros/memory.h"

struct saros_root_matrix {
    saros_root_setup *setup; /* borrowed: of the node that is evaluated */
    saros_sparsity *pattern; /* NULL: there is no matrix */
    saros_direct *direct;    /* one of both */
    saros_krylov *krylov;
    double *values;
};

void saros_root_matrix_release(saros_root_matrix *matrix) {
    if (!matrix) return;
    saros_direct_release(matrix->direct);
    saros_krylov_release(matrix->krylov);
    saros_sparsity_release(matrix->pattern);
    saros_release(matrix->values);
    saros_release(matrix);
}

saros_status saros_root_matrix_make(saros_root_setup *setup, int64_t n, saros_root_matrix **out) {
    saros_status status = SAROS_OK;
    saros_root_matrix *m = saros_allocate_zero(1, sizeof *m);
    if (!m) return SAROS_ERR_MEMORY;
    m->setup = setup;
    m->pattern = saros_sparsity_retain(setup->pattern);
    if (m->pattern) {
        size_t entries = (size_t)saros_sparsity_nonzeros(m->pattern);
        m->values = saros_allocate((entries + 1) * sizeof *m->values);
        if (!m->values) SAROS_TRY(SAROS_ERR_MEMORY);
    }
    if (setup->krylov)
        SAROS_TRY(saros_krylov_make(setup->krylov, m->pattern, n, setup->lanes, &m->krylov));
    else
        SAROS_TRY(saros_direct_make(m->pattern, &m->direct));
    *out = m;
    return SAROS_OK;
done:
    if (status) saros_error_frame("matrix of %s", setup->name);
    saros_root_matrix_release(m);
    return status;
}

/* ---- linearity ---- */

/* Numbers without zeros and without a pattern; another set for each `which`. */
static void probe_fill(int64_t n, int which, double *v) {
    for (int64_t i = 0; i < n; ++i)
        v[i] = 0.5 + fmod((double)(i + 1) * (which ? 0.7548776662466927 : 0.6180339887498949), 1);
}

/* A (v - 3 w) = A v - 3 A w? `out` holds the three products. */
static saros_status products_compare(const saros_root_setup *setup, int64_t n,
                                     saros_tensor *const *out) {
    const double *a = saros_tensor_const_data(out[0]), *b = saros_tensor_const_data(out[1]);
    const double *c = saros_tensor_const_data(out[2]);
    double size = 0, worst = 0;
    for (int64_t i = 0; i < n; ++i) {
        size = fmax(size, fabs(a[i]) + 3 * fabs(b[i]));
        worst = fmax(worst, fabs(c[i] - (a[i] - 3 * b[i])));
    }
    if (!(worst > 1e-8 * size)) return SAROS_OK;
    return saros_fail(SAROS_ERR_USAGE, setup->name,
                      "use a root if the equations are not linear; terms without x belong to b",
                      "the product is not linear: A(v - 3w) differs from A v - 3 A w by %.3g, of "
                      "%.3g",
                      worst, size);
}

static saros_status linearity_verify(const saros_root_setup *setup, const saros_function *product,
                                     int ins, saros_tensor *const *in) {
    int64_t n = saros_tensor_count(in[0]);
    saros_status status = SAROS_OK;
    saros_tensor *out[3] = {NULL, NULL, NULL}, *probe = NULL;
    double *w = saros_allocate((size_t)(n + 1) * sizeof *w), *v;
    saros_tensor **operand = saros_allocate((size_t)(ins + 1) * sizeof *operand);
    if (!w || !operand) SAROS_TRY(SAROS_ERR_MEMORY);
    memcpy(operand, in, (size_t)ins * sizeof *operand);
    SAROS_TRY(saros_tensor_make(SAROS_F64, 1, &n, &probe));
    operand[ins] = probe;
    v = saros_tensor_data(probe);
    probe_fill(n, 1, w);
    for (int k = 0; k < 3; ++k) {
        SAROS_TRY(saros_tensor_make(SAROS_F64, 1, &n, &out[k]));
        probe_fill(n, k == 1, v);
        if (k == 2)
            for (int64_t i = 0; i < n; ++i) v[i] -= 3 * w[i];
        SAROS_TRY(saros_function_call(product, operand, &out[k], NULL));
    }
    status = products_compare(setup, n, out);
done:
    for (int k = 0; k < 3; ++k) saros_tensor_release(out[k]);
    saros_tensor_release(probe);
    saros_release(w);
    saros_release(operand);
    return status;
}

/* ---- numbers ---- */

static saros_status values_find(saros_root_matrix *m, saros_function *const *body, int ins,
                                saros_tensor *const *in) {
    saros_root_setup *setup = m->setup;
    bool verified = atomic_load(&setup->verified);
    saros_status status = SAROS_OK;
    if (!verified && setup->linear) SAROS_TRY(linearity_verify(setup, body[0], ins, in));
    if (m->pattern) {
        const int64_t nonzeros = saros_sparsity_nonzeros(m->pattern);
        status = setup->entries ? saros_compression_values(body[1], in, nonzeros, m->values)
                                : saros_sparse_jacobian(m->pattern, body[0], ins, in, m->values);
        if (status == SAROS_OK && !verified)
            status = saros_sparse_verify(m->pattern, body[0], ins, in, m->values);
    }
    if (status == SAROS_OK) atomic_store(&setup->verified, true);
done:
    return status;
}

saros_status saros_root_matrix_take(saros_root_matrix *m, saros_function *const *body, int ins,
                                    saros_tensor *const *in) {
    saros_status status = values_find(m, body, ins, in);
    if (status || !m->pattern) return status;
    return m->krylov ? saros_krylov_take(m->krylov, m->values)
                     : saros_direct_factorise(m->direct, m->values);
}

double saros_root_matrix_rounding(const saros_root_matrix *m, const double *x) {
    return m->pattern ? saros_sparse_rounding(m->pattern, m->values, x) : 0;
}

saros_status saros_root_matrix_solve(saros_root_matrix *m, saros_krylov_call call, int64_t columns,
                                     double *b) {
    if (m->direct) return saros_direct_solve(m->direct, call.transposed, columns, b);
    call.name = m->setup->name;
    return saros_krylov_solve(m->krylov, &call, columns, b);
}
