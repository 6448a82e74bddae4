/** Sparse Hessians: second derivatives of a scalar in their symmetric pattern.
 *
 *  The Hessian is the Jacobian of the gradient. Its pattern comes from index sets propagated
 * through the graph of the gradient (detect.c), where nonlinear interactions of f alone leave a
 * mark: what f takes linearly has a constant derivative, which holds no set. As H is symmetric,
 * entries found on one side of the diagonal only are not there, and are dropped. A star colouring
 * (colour_star.c) gives few sums of columns; one product H d, forward over reverse mode, is batched
 * over them, and the entries are gathered from it, both triangles.
 *
 *  Does not exploit partial separability: a product passes through all of f.
 */
#include "saros/autodiff.h"
#include "saros/memory.h"
#include "sparse_impl.h"

saros_status saros_sparsity_detect_hessian(saros_value y, saros_value x, saros_sparsity **out) {
    saros_value gradient;
    saros_status status = SAROS_OK;
    saros_sparsity *found = NULL;
    saros_vjp(1, &y, NULL, 1, &x, &gradient);
    if (!saros_is_poisoned(x)) gradient = saros_instantiate(gradient, x);
    SAROS_TRY(saros_sparsity_detect(gradient, x, &found));
    SAROS_TRY(saros_sparsity_symmetric(found, out));
done:
    saros_sparsity_release(found);
    return status;
}

static saros_status integers(saros_graph *graph, int64_t n, const int64_t *from, saros_value *out) {
    saros_tensor *t = NULL;
    saros_status status = saros_tensor_from(SAROS_I64, 1, &n, from, &t);
    if (status == SAROS_OK) *out = saros_constant(graph, t);
    saros_tensor_release(t);
    return status;
}

/* Sums of the unit vectors of one colour, as a constant: (colours, x's shape). */
static saros_status seeds_make(const int *colour, int colours, saros_value x, saros_value *seeds) {
    const saros_type type = *saros_value_type(x);
    int64_t n = saros_type_count(&type), shape[SAROS_MAX_RANK + 1] = {colours};
    saros_tensor *t = NULL;
    for (int a = 0; a < type.rank; ++a) shape[a + 1] = type.shape[a];
    saros_status status = saros_tensor_zeros(SAROS_F64, type.rank + 1, shape, &t);
    if (status) return status;
    double *to = saros_tensor_data(t);
    for (int64_t j = 0; j < n; ++j) to[colour[j] * n + j] = 1;
    *seeds = saros_constant(x.graph, t);
    if (type.dtype != SAROS_F64) *seeds = saros_cast(*seeds, type.dtype);
    saros_tensor_release(t);
    return status;
}

/* Seeds, and where each entry lies among their products, as constants. */
static saros_status colours_find(saros_value x, const saros_sparsity *p, int *colours,
                                 saros_value *seeds, saros_value *from) {
    saros_status status = SAROS_OK;
    int *of = saros_allocate((size_t)(p->n + 1) * sizeof *of);
    int64_t *at = saros_allocate((size_t)(p->nonzeros + 1) * sizeof *at);
    if (!of || !at) SAROS_TRY(SAROS_ERR_MEMORY);
    SAROS_TRY(saros_colouring_star(p, of, colours));
    SAROS_TRY(saros_colouring_star_entries(p, of, *colours, at));
    SAROS_TRY(integers(x.graph, p->nonzeros, at, from));
    status = seeds_make(of, *colours, x, seeds);
done:
    saros_release(of);
    saros_release(at);
    return status;
}

saros_status saros_symmetric_values(saros_value gradient, saros_value x, const saros_sparsity *p,
                                    saros_value *values, int *colours) {
    saros_value seeds = SAROS_NONE, from = SAROS_NONE;
    saros_status status = colours_find(x, p, colours, &seeds, &from);
    if (status) return status;
    saros_value products = saros_jacobian_products(gradient, x, seeds);
    if (saros_is_poisoned(products)) return saros_graph_status(x.graph);
    int64_t count = *colours * p->n;
    *values = saros_gather(saros_reshape(products, 1, &count), from, 0);
    return SAROS_OK;
}

static saros_status check(saros_value y, saros_value x) {
    if (saros_is_poisoned(y) || saros_is_poisoned(x)) return saros_graph_status(x.graph);
    if (saros_value_rank(y) == 0 && saros_dtype_is_float(saros_value_dtype(y)) &&
        saros_dtype_is_float(saros_value_dtype(x)) && y.graph == x.graph)
        return SAROS_OK;
    return saros_fail(SAROS_ERR_SHAPE, "saros_sparse_hessian", "take a sum or a mean",
                      "y must be a floating-point scalar, of the graph of x");
}

saros_value saros_sparse_hessian(saros_value y, saros_value x, saros_sparsity **pattern) {
    saros_value gradient, values = SAROS_NONE;
    saros_sparsity *found = NULL;
    int colours;
    saros_status status = check(y, x);
    if (status) goto done;
    SAROS_TRY(saros_sparsity_detect_hessian(y, x, &found));
    saros_vjp(1, &y, NULL, 1, &x, &gradient);
    SAROS_TRY(saros_symmetric_values(saros_instantiate(gradient, x), x, found, &values, &colours));
    *pattern = found;
    found = NULL;
done:
    saros_sparsity_release(found);
    return status ? saros_poison(x.graph) : values;
}
