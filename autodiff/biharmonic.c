/** Biharmonic operator: one pass with the state (h, h_i, h_ij, t_i = d_i Lap h, b = Lap^2 h), which
 * is closed under composition and products; 2 + 2d + d(d+1)/2 streams, fewer than (d+2)^2 of two
 * nested Laplacians up to d = 5, from where on the nested ones are taken. With L = sum h_ii and n =
 * sum h_i^2 (chain and product rule written out):
 *
 *      linear      every stream by itself
 *      pointwise   h'_ij = g1 h_ij + g2 h_i h_j
 *                  t'_i  = g1 t_i + g2 (h_i L + 2 (H h)_i) + g3 h_i n
 *                  b'    = g1 b + g2 (L^2 + 2 H:H + 4 h.t) + g3 (2 n L + 4 h.H h) + g4 n^2
 *      bilinear    h_ij  : f(A_i, B_j) + f(A_j, B_i)
 *                  t_i   : f(A_i, L_B) + f(L_A, B_i) + 2 sum_k (f(A_ik, B_k) + f(A_k, B_ik))
 *                  b     : 4 sum_i (f(A_i, t_Bi) + f(t_Ai, B_i)) + 2 f(L_A, L_B)
 *                          + 4 sum_ij f(A_ij, B_ij)
 *      (beside f(stream_A, b) + f(a, stream_B))
 *
 *  Rows of no such kind (a quotient of which both sides move, Cholesky, loops, …) have no rule
 * here: where one lies between x and y, the nested Laplacians are taken.
 */
#include "collapse_impl.h"
#include "walk_impl.h"

#include "saros/memory.h"

enum { DIMENSIONS = 5 }; /* up to which the closed set is the smaller one */

/** Streams: h_i, h_ij for i <= j, t_i, L (the sum of h_ii, no stream of its own), b. */
static int pair(int d, int i, int j) {
    int low = i < j ? i : j, high = i < j ? j : i;
    return d + low * d - low * (low - 1) / 2 + high - low;
}
static int third(int d, int i) {
    return d + d * (d + 1) / 2 + i;
}
static int laplacian_of(int d) {
    return third(d, d);
}
static int streams(int d) {
    return laplacian_of(d) + 2;
}

static saros_value product(saros_value a, saros_value b) {
    return saros_is_none(a) || saros_is_none(b) ? SAROS_NONE : saros_mul(a, b);
}
static saros_value times(double weight, saros_value a) {
    return saros_is_none(a) ? a : saros_mul(saros_like(a, weight), a);
}

/** Derivatives 1 … 4 of a pointwise row in operand k; false if it has no partial. */
static bool slopes(const saros_rule *rule, int k, saros_value g[5]) {
    if (!rule->row->partial || rule->outs != 1) return false;
    saros_type type = *saros_value_type(rule->in[k]);
    saros_value one = saros_splat(rule->graph, &type, 1);
    g[1] = rule->row->partial(rule, k);
    for (int order = 2; order <= 4; ++order) {
        g[order] = SAROS_NONE;
        if (!saros_is_none(g[order - 1]))
            ad_jvp(1, &g[order - 1], 1, &rule->in[k], &one, &g[order]);
    }
    return true;
}

/** What a pointwise row adds to the streams by themselves. */
static bool compose(const ad_collapse *c) {
    saros_value g[5], n = SAROS_NONE, squares = SAROS_NONE, along = SAROS_NONE, bent = SAROS_NONE;
    int d = c->d;
    const saros_value *h = c->in + c->last * c->stride, *t = h + third(d, 0);
    saros_value laplacian = h[laplacian_of(d)];
    if (!slopes(c->rule, c->last, g)) return false;
    for (int i = 0; i < d; ++i) n = ad_sum(n, product(h[i], h[i]));
    for (int i = 0; i < d; ++i) {
        saros_value row = SAROS_NONE; /* (H h)_i */
        for (int j = 0; j < d; ++j) {
            saros_value second = h[pair(d, i, j)];
            row = ad_sum(row, product(second, h[j]));
            if (j < i) continue;
            squares = ad_sum(squares, times(i == j ? 2 : 4, product(second, second)));
            ad_collapse_add(c, 0, pair(d, i, j), 1, product(g[2], product(h[i], h[j])));
        }
        saros_value twice = ad_sum(product(h[i], laplacian), times(2, row));
        ad_collapse_add(c, 0, third(d, i), 1, product(g[2], twice));
        ad_collapse_add(c, 0, third(d, i), 1, product(g[3], product(h[i], n)));
        along = ad_sum(along, product(h[i], t[i]));
        bent = ad_sum(bent, product(h[i], row));
    }
    int b = laplacian_of(d) + 1;
    squares = ad_sum(ad_sum(squares, product(laplacian, laplacian)), times(4, along));
    bent = ad_sum(times(2, product(n, laplacian)), times(4, bent));
    ad_collapse_add(c, 0, b, 1, product(g[2], squares));
    ad_collapse_add(c, 0, b, 1, product(g[3], bent));
    ad_collapse_add(c, 0, b, 1, product(g[4], product(n, n)));
    return true;
}

/** What a bilinear row adds to the streams by themselves. */
static void multiply(const ad_collapse *c, const saros_operand_set set[2]) {
    int d = c->d, l = laplacian_of(d), b = l + 1;
    for (int i = 0; i < d; ++i) {
        int t = third(d, i);
        for (int j = 0; j < d; ++j) {
            int p = pair(d, i, j);
            ad_collapse_cross(c, set, i, j, p, i == j ? 2 : 1);
            ad_collapse_cross(c, set, p, j, t, 2);
            ad_collapse_cross(c, set, j, p, t, 2);
            if (j >= i) ad_collapse_cross(c, set, p, p, b, i == j ? 4 : 8);
        }
        ad_collapse_cross(c, set, i, l, t, 1);
        ad_collapse_cross(c, set, l, i, t, 1);
        ad_collapse_cross(c, set, i, t, b, 4);
        ad_collapse_cross(c, set, t, i, b, 4);
    }
    ad_collapse_cross(c, set, l, l, b, 2);
}

static bool node_biharmonic(const ad_collapse *c) {
    saros_operand_set set[2];
    int sets;
    ad_collapse_first_order(c);
    if (c->count && ad_multilinear(c->rule, c->moving, set, &sets)) {
        if (sets == 2) multiply(c, set);
    } else if (c->count) {
        bool one = c->count == 1 && ad_linear_set(c->rule->row, c->last) < 0;
        if (!one || !compose(c)) return false;
    }
    for (int m = 0; m < c->rule->outs; ++m)
        for (int i = 0; i < c->d; ++i)
            ad_collapse_add(c, m, laplacian_of(c->d), 1, c->out[m * c->stride + pair(c->d, i, i)]);
    return true;
}

saros_value saros_biharmonic(saros_value y, saros_value x) {
    const saros_value both[2] = {y, x};
    saros_value bad = ad_poisoned(2, both), result = SAROS_NONE;
    if (!saros_is_none(bad)) return bad;
    if (ad_collapse_check("saros_biharmonic", y, x) != SAROS_OK) return saros_poison(y.graph);
    int d = (int)saros_value_type(x)->shape[1];
    if (d <= DIMENSIONS) {
        saros_value *axes = ad_collapse_axes(x);
        if (!axes) return saros_poison(y.graph);
        result = ad_collapse_pass(y, x, d, axes, streams(d), laplacian_of(d), node_biharmonic);
        saros_release(axes);
    }
    return saros_is_none(result) ? saros_laplacian(saros_laplacian(y, x), x) : result;
}
