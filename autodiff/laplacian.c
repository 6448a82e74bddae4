/** Second-order operators by collapsed Taylor mode (the forward Laplacian: Li et al. 2023,
 * arXiv:2307.08214; collapsing: Dangel et al. 2025): one pass with the state (h, J_1 … J_r, L),
 * J_i the derivative along direction i, L the sum of second derivatives along all of them.
 *
 *      linear      L' = f L
 *      pointwise   L' = f' L + f'' sum_i J_i^2
 *      bilinear    L' = f(L_a, b) + f(a, L_b) + 2 sum_i f(A_i, B_i)
 *      any other   L' = f' L + 2 sum_i (second Taylor coefficient along J_i)
 *
 *  Rows of x are independent, so r+2 streams suffice whatever the batch: a dot by a constant emits
 *  one dot for each stream that is not zero. The Laplacian has the axes as directions, the operator
 *  sum_ij (sigma sigma^T)_ij d_i d_j the columns of sigma.
 */
#include "collapse_impl.h"
#include "region_impl.h"
#include "walk_impl.h"

#include "saros/memory.h"

/** f'' sum_i J_i^2 of a pointwise row in its only moving operand; false if it has no partial. */
static bool curvature(const ad_collapse *c) {
    const saros_rule *rule = c->rule;
    int k = c->last;
    if (!rule->row->partial || rule->outs != 1) return false;
    saros_value slope = rule->row->partial(rule, k), second = SAROS_NONE, squares = SAROS_NONE;
    saros_type type = *saros_value_type(rule->in[k]);
    saros_value one = saros_splat(rule->graph, &type, 1);
    if (!saros_is_none(slope)) ad_jvp(1, &slope, 1, &rule->in[k], &one, &second);
    if (saros_is_none(second)) return true;
    for (int i = 0; i < c->d; ++i) {
        saros_value j = c->in[k * c->stride + i];
        if (!saros_is_none(j)) squares = ad_sum(squares, saros_mul(j, j));
    }
    ad_collapse_add(c, 0, c->d, 1, saros_mul(second, squares));
    return true;
}

/** 2 sum_i of the second coefficient along J_i. */
static void second_coefficients(const ad_collapse *c) {
    const saros_rule *rule = c->rule;
    saros_value *series = c->scratch, *result = series + 3 * rule->ins;
    for (int i = 0; i < c->d; ++i) {
        bool any = false;
        for (int k = 0; k < rule->ins; ++k) {
            series[3 * k] = rule->in[k];
            series[3 * k + 1] = c->in[k * c->stride + i];
            series[3 * k + 2] = SAROS_NONE;
            any = any || !saros_is_none(series[3 * k + 1]);
        }
        if (!any) continue;
        ad_fill(3 * rule->outs, result, SAROS_NONE);
        for (int m = 0; m < rule->outs; ++m) result[3 * m] = rule->out[m];
        ad_node_jet(rule, 2, series, result);
        for (int m = 0; m < rule->outs; ++m) ad_collapse_add(c, m, c->d, 2, result[3 * m + 2]);
    }
}

static bool node_laplacian(const ad_collapse *c) {
    const saros_rule *rule = c->rule;
    saros_operand_set set[2];
    int sets;
    ad_collapse_first_order(c);
    if (!c->count) return true;
    if (!ad_multilinear(rule, c->moving, set, &sets)) {
        bool one = c->count == 1 && ad_linear_set(rule->row, c->last) < 0;
        if (!one || !curvature(c)) second_coefficients(c);
    } else if (sets == 2) {
        saros_value *sum = c->scratch + rule->ins;
        ad_fill(rule->outs, sum, SAROS_NONE);
        for (int i = 0; i < c->d; ++i) ad_collapse_term(c, set, i, i, sum);
        for (int m = 0; m < rule->outs; ++m) ad_collapse_add(c, m, c->d, 2, sum[m]);
    }
    return true;
}

saros_value saros_laplacian(saros_value y, saros_value x) {
    const saros_value both[2] = {y, x};
    saros_value bad = ad_poisoned(2, both);
    if (!saros_is_none(bad)) return bad;
    if (ad_collapse_check("saros_laplacian", y, x) != SAROS_OK) return saros_poison(y.graph);
    int d = (int)saros_value_type(x)->shape[1];
    saros_value *axes = ad_collapse_axes(x);
    if (!axes) return saros_poison(y.graph);
    saros_value result = ad_collapse_pass(y, x, d, axes, d + 1, -1, node_laplacian);
    saros_release(axes);
    return result;
}

/* ---- weighted ---- */

static saros_status check_sigma(saros_value sigma, saros_value x) {
    saros_type of = *saros_value_type(sigma), in = *saros_value_type(x);
    int rows = of.rank - 2;
    bool fits = (rows == 0 || rows == 1) && of.dtype == in.dtype && of.shape[rows] == in.shape[1];
    if (fits && (!rows || of.shape[0] == in.shape[0])) return SAROS_OK;
    char a[128], b[128];
    return saros_fail(SAROS_ERR_SHAPE, "saros_second_order",
                      "sigma is (d,r), or (n,d,r) where it differs from row to row",
                      "got sigma of type %s and x of type %s", saros_type_text(&of, a, sizeof a),
                      saros_type_text(&in, b, sizeof b));
}

/** Column i of sigma in every row of x. */
static saros_value column(saros_value sigma, saros_value x, int64_t i) {
    const saros_type *in = saros_value_type(x);
    int axis = saros_value_rank(sigma) - 1, axes[1] = {1};
    saros_value v = saros_slice(sigma, axis, i, i + 1, 1);
    if (axis == 2) return saros_reshape(v, 2, in->shape);
    return saros_broadcast(saros_reshape(v, 1, &in->shape[1]), 2, in->shape, axes);
}

saros_value saros_second_order(saros_value y, saros_value x, saros_value sigma) {
    const saros_value all[3] = {y, x, sigma};
    saros_value bad = ad_poisoned(3, all), *seed = NULL, result;
    saros_graph *graph = saros_graph_of(3, all);
    saros_status status = SAROS_OK;
    if (!saros_is_none(bad)) return bad;
    SAROS_TRY(ad_collapse_check("saros_second_order", y, x));
    SAROS_TRY(check_sigma(sigma, x));
    int64_t columns = saros_value_type(sigma)->shape[saros_value_rank(sigma) - 1];
    if (!(seed = ad_values((int)columns))) SAROS_TRY(SAROS_ERR_MEMORY);
    for (int64_t i = 0; i < columns; ++i) seed[i] = column(sigma, x, i);
    result = ad_collapse_pass(y, x, (int)columns, seed, (int)columns + 1, -1, node_laplacian);
done:
    saros_release(seed);
    return status == SAROS_OK ? result : saros_poison(graph);
}
