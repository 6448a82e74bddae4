/** SUNMatrix and SUNLinearSolver over our patterns: what CVODES needs to keep J, form I - gamma J,
 * factorise it and solve. A matrix singular to working precision is a recoverable failure: CVODES
 * then tries a smaller step.
 */
#include "sunsparse_impl.h"

#include <string.h>

#include "nvector_impl.h"
#include "saros/memory.h"
#include "sparse_impl.h"

static const struct _generic_SUNMatrix_Ops matrix_operations;
static const struct _generic_SUNLinearSolver_Ops solver_operations;

/* ---- matrix ---- */

typedef struct values_of {
    saros_sparsity *pattern;
    int64_t *diagonal; /* position of a_ii in the values */
    double *value;
    SUNMatrix spare; /* the clone CVODES will ask for: it cannot be told that there is no memory */
} values_of;

double *saros_sunmatrix_values(SUNMatrix matrix) {
    return ((values_of *)matrix->content)->value;
}

static void matrix_destroy(SUNMatrix matrix) {
    if (!matrix) return;
    values_of *c = matrix->content;
    if (c) {
        matrix_destroy(c->spare);
        saros_sparsity_release(c->pattern);
        saros_release(c->diagonal);
        saros_release(c->value);
        saros_release(c);
    }
    SUNMatFreeEmpty(matrix);
}

static SUNMatrix matrix_make(saros_sparsity *pattern, SUNContext context) {
    SUNMatrix matrix = SUNMatNewEmpty(context);
    values_of *c = saros_allocate_zero(1, sizeof *c);
    if (!matrix || !c) {
        saros_release(c);
        if (matrix) SUNMatFreeEmpty(matrix);
        return NULL;
    }
    *matrix->ops = matrix_operations;
    matrix->content = c;
    c->pattern = saros_sparsity_retain(pattern);
    c->diagonal = saros_allocate((size_t)pattern->n * sizeof *c->diagonal);
    c->value = saros_allocate_zero((size_t)pattern->nonzeros, sizeof *c->value);
    if (!c->diagonal || !c->value) {
        matrix_destroy(matrix);
        return NULL;
    }
    for (int64_t i = 0; i < pattern->n; ++i)
        for (int64_t k = pattern->row[i]; k < pattern->row[i + 1]; ++k)
            if (pattern->column[k] == i) c->diagonal[i] = k;
    return matrix;
}

SUNMatrix saros_sunmatrix_make(saros_sparsity *pattern, SUNContext context) {
    SUNMatrix matrix = matrix_make(pattern, context);
    if (!matrix) return NULL;
    values_of *c = matrix->content;
    c->spare = matrix_make(pattern, context);
    if (c->spare) return matrix;
    matrix_destroy(matrix);
    return NULL;
}

static SUNMatrix_ID matrix_id(SUNMatrix matrix) {
    (void)matrix;
    return SUNMATRIX_CUSTOM;
}

static SUNMatrix matrix_clone(SUNMatrix matrix) {
    values_of *c = matrix->content;
    SUNMatrix clone = c->spare ? c->spare : matrix_make(c->pattern, matrix->sunctx);
    c->spare = NULL;
    return clone;
}

static int matrix_zero(SUNMatrix matrix) {
    values_of *c = matrix->content;
    memset(c->value, 0, (size_t)c->pattern->nonzeros * sizeof *c->value);
    return SUNMAT_SUCCESS;
}

static int matrix_copy(SUNMatrix from, SUNMatrix to) {
    const values_of *a = from->content;
    values_of *b = to->content;
    memcpy(b->value, a->value, (size_t)a->pattern->nonzeros * sizeof *a->value);
    return SUNMAT_SUCCESS;
}

static int matrix_scale_add_identity(realtype factor, SUNMatrix matrix) {
    values_of *c = matrix->content;
    for (int64_t k = 0; k < c->pattern->nonzeros; ++k) c->value[k] *= factor;
    for (int64_t i = 0; i < c->pattern->n; ++i) c->value[c->diagonal[i]] += 1;
    return SUNMAT_SUCCESS;
}

static const struct _generic_SUNMatrix_Ops matrix_operations = {
    .getid = matrix_id,
    .clone = matrix_clone,
    .destroy = matrix_destroy,
    .zero = matrix_zero,
    .copy = matrix_copy,
    .scaleaddi = matrix_scale_add_identity,
};

/* ---- solver ---- */

typedef struct solver_of {
    saros_direct *direct;
    saros_status status; /* of the last setup or solve */
} solver_of;

SUNLinearSolver saros_sunsolver_make(saros_sparsity *pattern, SUNContext context) {
    solver_of *c = saros_allocate_zero(1, sizeof *c);
    SUNLinearSolver solver = c ? SUNLinSolNewEmpty(context) : NULL;
    if (!solver || saros_direct_make(pattern, &c->direct)) {
        saros_release(c);
        if (solver) SUNLinSolFreeEmpty(solver);
        return NULL;
    }
    *solver->ops = solver_operations;
    solver->content = c;
    return solver;
}

const char *saros_sunsolver_name(SUNLinearSolver solver) {
    return saros_direct_name(((solver_of *)solver->content)->direct);
}

saros_status saros_sunsolver_status(SUNLinearSolver solver) {
    return ((solver_of *)solver->content)->status;
}

static SUNLinearSolver_Type solver_type(SUNLinearSolver solver) {
    (void)solver;
    return SUNLINEARSOLVER_DIRECT;
}

static SUNLinearSolver_ID solver_id(SUNLinearSolver solver) {
    (void)solver;
    return SUNLINEARSOLVER_CUSTOM;
}

static int solver_setup(SUNLinearSolver solver, SUNMatrix matrix) {
    solver_of *c = solver->content;
    c->status = saros_direct_factorise(c->direct, saros_sunmatrix_values(matrix));
    if (c->status == SAROS_OK) return SUNLS_SUCCESS;
    bool smaller_step_may_help = c->status == SAROS_ERR_DOMAIN || c->status == SAROS_ERR_NAN;
    return smaller_step_may_help ? SUNLS_LUFACT_FAIL : SUNLS_PACKAGE_FAIL_UNREC;
}

static int solver_solve(SUNLinearSolver solver, SUNMatrix matrix, N_Vector x, N_Vector b,
                        realtype tolerance) {
    (void)matrix;
    (void)tolerance;
    solver_of *c = solver->content;
    N_VScale(1, b, x);
    c->status = saros_direct_solve(c->direct, false, 1, N_VGetArrayPointer(x));
    return c->status ? SUNLS_PACKAGE_FAIL_UNREC : SUNLS_SUCCESS;
}

static int solver_free(SUNLinearSolver solver) {
    if (!solver) return SUNLS_SUCCESS;
    solver_of *c = solver->content;
    saros_direct_release(c->direct);
    saros_release(c);
    SUNLinSolFreeEmpty(solver);
    return SUNLS_SUCCESS;
}

static const struct _generic_SUNLinearSolver_Ops solver_operations = {
    .gettype = solver_type,
    .getid = solver_id,
    .setup = solver_setup,
    .solve = solver_solve,
    .free = solver_free,
};
