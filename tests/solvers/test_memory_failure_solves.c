/** Linear solves and sparse Hessians with every allocation failing once. */
#include "memory_failure.h"

#include "saros/autodiff.h"
#include "saros/linear.h"
#include "saros/sparse.h"

enum { N = 9 };

static const saros_krylov_options with_matrix, without_matrix = {.matrix_free = true};
static const saros_krylov_options *way; /* NULL: direct */

/* p x_i - x_{i-1} */
static saros_status chain(saros_graph *g, saros_value x, void *user, saros_value *y) {
    (void)g;
    *y = saros_sub(saros_mul(*(saros_value *)user, x), saros_shift(x, 0, 1, SAROS_EDGE_ZERO));
    return SAROS_OK;
}

static saros_status gradient_of_solve(void) {
    const int64_t n = N;
    saros_graph *g = NULL;
    saros_function *f = NULL;
    saros_tensor *p = NULL, *out = NULL;
    saros_status status = SAROS_OK;
    SAROS_TRY(saros_graph_make(&g));
    SAROS_TRY(saros_tensor_scalar(SAROS_F64, 3, &p));
    saros_type scalar = saros_type_scalar(SAROS_F64), vector = saros_type_make(SAROS_F64, 1, &n);
    saros_value in = saros_input(g, &scalar, "p"), gradient;
    saros_value x = saros_linear_solve(saros_splat(g, &vector, 1), chain, &in,
                                       &(saros_linear_options){.krylov = way});
    saros_value sum = saros_sum(x, 1);
    saros_vjp(1, &sum, NULL, 1, &in, &gradient);
    SAROS_TRY(saros_graph_status(g));
    SAROS_TRY(saros_compile(g, 1, &in, 1, &gradient, NULL, &f));
    SAROS_TRY(saros_function_call(f, &p, &out, NULL));
done:
    saros_tensor_release(p);
    saros_tensor_release(out);
    saros_function_release(f);
    saros_graph_release(g);
    return status;
}

static bool coloured;

static saros_status hessians(void) {
    const int64_t n = N;
    saros_graph *g = NULL;
    saros_sparsity *pattern = NULL;
    saros_jacobian *h = NULL;
    saros_tensor *at = NULL;
    double values[3 * N];
    saros_status status = SAROS_OK;
    SAROS_TRY(saros_graph_make(&g));
    SAROS_TRY(saros_tensor_zeros(SAROS_F64, 1, &n, &at));
    saros_type vector = saros_type_make(SAROS_F64, 1, &n);
    saros_value x = saros_input(g, &vector, "x");
    saros_value next = saros_slice(x, 0, 1, n, 1), own = saros_slice(x, 0, 0, n - 1, 1);
    saros_value y = saros_sum(saros_sin(saros_mul(own, next)), 1);
    SAROS_TRY(saros_hessian_make(y, x, 1, &x, &(saros_jacobian_options){.coloured = coloured}, &h));
    SAROS_TRY(saros_jacobian_values(h, &at, values));
    (void)saros_sparse_hessian(y, x, &pattern);
    SAROS_TRY(saros_graph_status(g));
done:
    saros_tensor_release(at);
    saros_jacobian_release(h);
    saros_sparsity_release(pattern);
    saros_graph_release(g);
    return status;
}

START_TEST(every_allocation_may_fail) {
    const saros_krylov_options *ways[] = {NULL, &with_matrix, &without_matrix};
    static const char *const name[] = {"direct", "with a matrix", "without a matrix"};
    saros_allocator_set(&(saros_allocator){allocate, release, NULL});
    for (int k = 0; k < 3; ++k) {
        way = ways[k];
        fail_each(gradient_of_solve, name[k]);
    }
    for (int k = 0; k < 2; ++k) {
        coloured = k;
        fail_each(hessians, k ? "coloured Hessian" : "Hessian");
    }
}
END_TEST

SAROS_TEST_MAIN("solvers/memory_failure_solves", every_allocation_may_fail)
