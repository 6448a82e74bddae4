/** Linear operators with constant coefficients, of any order, by jets along directions.
 *
 *  With D_v = sum_i v_i d_i and |a| = k, the polarisation identity (Griewank, Utke and Walther,
 *  Mathematics of Computation 69, 2000, have it for interpolation in general) is
 *
 *      d^a = 1/k! sum over 0 <= b <= a of (-1)^(k-|b|) C(a_1, b_1) … C(a_d, b_d) D_b^k,
 *
 *  and D_b^k y / k! is coefficient k of y's jet along b. Terms of all orders share one jet for each
 *  direction b / gcd(b), of the highest order asked of it; weights that cancel cost nothing.
 *
 *  The estimate of the Laplacian takes r random directions s with E[s s^T] = 1: the mean of s.H s
 * over them has the Laplacian as its expectation, at the cost of r + 2 streams whatever d is.
 * Components are +-1, which has the least variance among such directions: 2 sum over i != j of
 * H_ij^2 / r (Hutchinson, Communications in Statistics 18, 1989). */
#include <math.h>
#include <string.h>

#include "collapse_impl.h"
#include "node_impl.h"
#include "walk_impl.h"
#include "saros/autodiff.h"
#include "saros/memory.h"

enum { MOST_ORDER = 16 };

/** The directions found so far, each with a weight for every order. */
typedef struct direction_list {
    int d, count, room;
    double *v;      /**< d whole numbers each, without a common factor */
    double *weight; /**< MOST_ORDER + 1 each */
} direction_list;

static int common_factor(int a, int b) {
    while (b) {
        int rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static double choose(int n, int k) {
    double value = 1;
    for (int j = 1; j <= k; ++j) value = value * (n - k + j) / j;
    return value;
}

/** Index of direction v, added if it is new; -1: memory ran out. */
static int find_direction(direction_list *s, const double *v) {
    size_t row = (size_t)s->d * sizeof *v;
    for (int k = 0; k < s->count; ++k)
        if (memcmp(s->v + (size_t)k * (size_t)s->d, v, row) == 0) return k;
    if (s->count == s->room) {
        size_t room = s->room ? 2 * (size_t)s->room : 8;
        double *more = saros_reallocate(s->v, room * row);
        if (!more) return -1;
        s->v = more;
        double *weight = saros_reallocate(s->weight, room * (MOST_ORDER + 1) * sizeof *weight);
        if (!weight) return -1;
        s->weight = weight;
        s->room = (int)room;
    }
    memcpy(s->v + (size_t)s->count * (size_t)s->d, v, row);
    memset(s->weight + (size_t)s->count * (MOST_ORDER + 1), 0, (MOST_ORDER + 1) * sizeof(double));
    return s->count++;
}

/** Next b <= a, the last index fastest; false after the last one. */
static bool next_below(int d, const int *a, int *b) {
    for (int i = d; i-- > 0;) {
        if (b[i] < a[i]) {
            ++b[i];
            return true;
        }
        b[i] = 0;
    }
    return false;
}

/** Adds the directions of one term; b and v have room for d numbers. */
static saros_status add_term(direction_list *s, const saros_operator_term *term, int order, int *b,
                             double *v) {
    memset(b, 0, (size_t)s->d * sizeof *b);
    while (next_below(s->d, term->power, b)) {
        int factor = 0, total = 0;
        double weight = term->coefficient;
        for (int i = 0; i < s->d; ++i) {
            factor = common_factor(factor, b[i]);
            total += b[i];
            weight *= choose(term->power[i], b[i]);
        }
        for (int i = 0; i < s->d; ++i) v[i] = (double)(b[i] / factor);
        int k = find_direction(s, v);
        if (k < 0) return SAROS_ERR_MEMORY;
        if ((order - total) % 2) weight = -weight;
        s->weight[k * (MOST_ORDER + 1) + order] += weight * pow(factor, order);
    }
    return SAROS_OK;
}

/** sum over orders of weight times coefficient of the jet of y along direction k, added to `sum`.
 */
static saros_value add_direction(const direction_list *s, int k, saros_value y, saros_value x,
                                 saros_value sum) {
    const double *weight = s->weight + (size_t)k * (MOST_ORDER + 1);
    saros_value series[MOST_ORDER], jet[MOST_ORDER];
    int order = MOST_ORDER;
    while (order > 0 && weight[order] == 0) --order;
    if (!order) return sum;
    for (int j = 0; j < MOST_ORDER; ++j) series[j] = SAROS_NONE;
    series[0] = ad_collapse_row(x, s->v + (size_t)k * (size_t)s->d);
    ad_jet(1, &y, 1, &x, order, series, jet);
    for (int j = 1; j <= order; ++j)
        if (weight[j] != 0 && !saros_is_none(jet[j - 1]))
            sum = ad_sum(sum, saros_mul(saros_like(jet[j - 1], weight[j]), jet[j - 1]));
    return sum;
}

/** Order of a term, or -1 with the error recorded. */
static int order_of(const saros_operator_term *term, int k, int d) {
    int order = 0;
    for (int i = 0; i < d; ++i) {
        if (term->power[i] < 0 || term->power[i] > MOST_ORDER) order = MOST_ORDER + 1;
        if (order <= MOST_ORDER) order += term->power[i];
    }
    if (order <= MOST_ORDER) return order;
    saros_fail(SAROS_ERR_DOMAIN, "saros_operator", NULL,
               "term %d has a negative power or an order above %d", k + 1, MOST_ORDER);
    return -1;
}

saros_value saros_operator(saros_value y, saros_value x, int terms,
                           const saros_operator_term *term) {
    const saros_value both[2] = {y, x};
    saros_value bad = ad_poisoned(2, both), sum = SAROS_NONE;
    if (!saros_is_none(bad)) return bad;
    saros_status status = ad_collapse_check("saros_operator", y, x);
    if (status != SAROS_OK) return saros_poison(saros_graph_of(2, both));
    direction_list s = {.d = (int)saros_value_type(x)->shape[1]};
    double *v = saros_allocate((size_t)(s.d + 1) * (sizeof *v + sizeof(int)));
    int *b = v ? (int *)(void *)(v + s.d) : NULL;
    if (!v) status = SAROS_ERR_MEMORY;
    for (int k = 0; k < terms && status == SAROS_OK; ++k) {
        int order = order_of(&term[k], k, s.d);
        if (order < 0)
            status = SAROS_ERR_DOMAIN;
        else if (order == 0)
            sum = ad_sum(sum, saros_mul(saros_like(y, term[k].coefficient), y));
        else
            status = add_term(&s, &term[k], order, b, v);
    }
    for (int k = 0; k < s.count && status == SAROS_OK; ++k) sum = add_direction(&s, k, y, x, sum);
    saros_release(v);
    saros_release(s.v);
    saros_release(s.weight);
    return status == SAROS_OK ? saros_instantiate(sum, y) : saros_poison(saros_graph_of(2, both));
}

saros_value saros_laplacian_estimate(saros_value y, saros_value x, saros_value key,
                                     int64_t directions) {
    const saros_value all[3] = {y, x, key};
    saros_value bad = ad_poisoned(3, all);
    if (!saros_is_none(bad)) return bad;
    if (ad_collapse_check("saros_laplacian_estimate", y, x) != SAROS_OK)
        return saros_poison(saros_graph_of(3, all));
    saros_type in = *saros_value_type(x);
    if (directions < 1) {
        saros_fail(SAROS_ERR_DOMAIN, "saros_laplacian_estimate", NULL,
                   "%lld random directions, needed at least 1", (long long)directions);
        return saros_poison(saros_graph_of(3, all));
    }
    saros_type type = saros_type_make(in.dtype, 2, (int64_t[]){in.shape[1], directions});
    saros_value u = saros_random_uniform(key, &type);
    saros_value one = saros_splat(key.graph, &type, 1 / sqrt((double)directions));
    saros_value sign = saros_where(saros_lt(u, saros_like(u, 0.5)), saros_neg(one), one);
    return saros_second_order(y, x, sign);
}
