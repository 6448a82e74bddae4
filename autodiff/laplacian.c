/** Laplacian by collapsed Taylor mode (the forward Laplacian: Li et al. 2023, arXiv:2307.08214;
 * collapsing: Dangel et al. 2025): one pass with the state (h, J_1 … J_d, L), L = sum of h_ii.
 *
 *      linear      L' = f L
 *      pointwise   L' = f' L + f'' sum_i J_i^2
 *      bilinear    L' = f(L_a, b) + f(a, L_b) + 2 sum_i f(A_i, B_i)
 *      any other   L' = f' L + 2 sum_i (second Taylor coefficient along J_i)
 *
 *  Rows of x are independent, so J_i starts as the unit vector i in every row and d+2 streams
 *  suffice whatever the batch: a dot by a constant emits one dot for each stream that is not zero.
 */
#include "node_impl.h"
#include "walk_impl.h"

#include <string.h>

#include "saros/memory.h"

/** State of an operand: J_0 … J_{d-1}, L. */
typedef struct collapsed {
    const saros_rule *rule;
    int d, stride;
    const saros_value *in;
    saros_value *out, *scratch; /**< room for 3 (ins + outs) values */
    bool *moving;
} collapsed;

static bool moves(const collapsed *c, int k) {
    for (int i = 0; i < c->d; ++i)
        if (!saros_is_none(c->in[k * c->stride + i])) return true;
    return false;
}

/** Every slot by the jvp of the node. */
static void first_order(const collapsed *c) {
    const saros_rule *rule = c->rule;
    saros_value *tangent = c->scratch, *result = tangent + rule->ins;
    for (int i = 0; i <= c->d; ++i) {
        bool any = false;
        for (int k = 0; k < rule->ins; ++k) {
            tangent[k] = c->in[k * c->stride + i];
            any = any || !saros_is_none(tangent[k]);
        }
        ad_fill(rule->outs, result, SAROS_NONE);
        if (any) ad_node_jvp(rule, tangent, result);
        for (int m = 0; m < rule->outs; ++m) c->out[m * c->stride + i] = result[m];
    }
}

static void add_to_laplacian(const collapsed *c, int m, double weight, saros_value term) {
    if (saros_is_none(term)) return;
    if (weight != 1) term = saros_mul(saros_like(term, weight), term);
    saros_value *slot = &c->out[m * c->stride + c->d];
    *slot = ad_sum(*slot, term);
}

/** 2 sum_i f(A_i, B_i) */
static void cross_terms(const collapsed *c, const saros_operand_set set[2]) {
    const saros_rule *rule = c->rule;
    saros_value *in = c->scratch, *sum = in + rule->ins;
    ad_fill(rule->outs, sum, SAROS_NONE);
    for (int i = 0; i < c->d; ++i) {
        memcpy(in, rule->in, (size_t)rule->ins * sizeof *in);
        if (ad_substitute(rule, set[0], c->in + i, c->stride, in) &&
            ad_substitute(rule, set[1], c->in + i, c->stride, in))
            ad_append(rule, in, sum, 1);
    }
    for (int m = 0; m < rule->outs; ++m) add_to_laplacian(c, m, 2, sum[m]);
}

/** f'' sum_i J_i^2 of a pointwise row in operand k, its only moving one; false if it has no
 * partial. */
static bool curvature(const collapsed *c, int k) {
    const saros_rule *rule = c->rule;
    if (!rule->row->partial || rule->outs != 1) return false;
    saros_value slope = rule->row->partial(rule, k), second = SAROS_NONE, squares = SAROS_NONE;
    saros_type type = *saros_value_type(rule->in[k]);
    saros_value one = saros_splat(rule->graph, &type, 1);
    if (!saros_is_none(slope)) saros_jvp(1, &slope, 1, &rule->in[k], &one, &second);
    if (saros_is_none(second)) return true;
    for (int i = 0; i < c->d; ++i) {
        saros_value j = c->in[k * c->stride + i];
        if (!saros_is_none(j)) squares = ad_sum(squares, saros_mul(j, j));
    }
    add_to_laplacian(c, 0, 1, saros_mul(second, squares));
    return true;
}

/** 2 sum_i of the second coefficient along J_i. */
static void second_coefficients(const collapsed *c) {
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
        for (int m = 0; m < rule->outs; ++m) add_to_laplacian(c, m, 2, result[3 * m + 2]);
    }
}

static saros_status node_laplacian(const saros_rule *rule, int d, const saros_value *in,
                                   saros_value *out) {
    size_t values = 3 * (size_t)(rule->ins + rule->outs);
    collapsed c = {.rule = rule, .d = d, .stride = d + 1, .in = in, .out = out};
    c.scratch = saros_allocate(values * sizeof *c.scratch + (size_t)rule->ins + 1);
    if (!c.scratch) return SAROS_ERR_MEMORY;
    c.moving = (bool *)(c.scratch + values);
    int count = 0, last = 0, sets;
    for (int k = 0; k < rule->ins; ++k)
        if ((c.moving[k] = moves(&c, k))) {
            ++count;
            last = k;
        }
    first_order(&c);
    saros_operand_set set[2];
    if (count && !ad_multilinear(rule, c.moving, set, &sets)) {
        bool one = count == 1 && ad_linear_set(rule->row, last) < 0;
        if (!one || !curvature(&c, last)) second_coefficients(&c);
    } else if (count && sets == 2) {
        cross_terms(&c, set);
    }
    saros_release(c.scratch);
    return SAROS_OK;
}

static saros_status walk_laplacian(const ad_walk *walk, int d, saros_value *of, saros_value *bad) {
    const int stride = d + 1;
    ad_frame frame = {0};
    saros_status status = SAROS_OK;
    for (int32_t id = walk->first; id < walk->last; ++id) {
        if (!ad_walk_visits(walk, id)) continue;
        SAROS_TRY(ad_frame_load(&frame, walk, id, stride));
        const saros_rule *rule = &frame.rule;
        for (int k = 0; k < rule->ins; ++k)
            if (ad_active(walk, rule->in[k].id))
                memcpy(frame.in_slot + k * stride, of + (rule->in[k].id - walk->first) * stride,
                       (size_t)stride * sizeof *of);
        SAROS_TRY(node_laplacian(rule, d, frame.in_slot, frame.out_slot));
        *bad = ad_poisoned(rule->outs * stride, frame.out_slot);
        if (!saros_is_none(*bad)) break;
        for (int m = 0; m < rule->outs; ++m)
            if (ad_active(walk, id + m))
                memcpy(of + (id + m - walk->first) * stride, frame.out_slot + m * stride,
                       (size_t)stride * sizeof *of);
    }
done:
    ad_frame_free(&frame);
    return status;
}

/** Unit vector `axis` in every row of x. */
static saros_value unit_rows(saros_value x, int axis) {
    saros_type type = *saros_value_type(x);
    saros_tensor *row = NULL, *cast = NULL;
    saros_value v;
    saros_status status = saros_tensor_zeros(SAROS_F64, 1, &type.shape[1], &row);
    if (status == SAROS_OK) {
        ((double *)saros_tensor_data(row))[axis] = 1;
        status = saros_tensor_cast(row, type.dtype, &cast);
    }
    v = status == SAROS_OK ? saros_broadcast(saros_constant(x.graph, cast), 2, type.shape, NULL)
                           : saros_poison(x.graph);
    saros_tensor_release(row);
    saros_tensor_release(cast);
    return v;
}

static saros_status check_shapes(saros_value y, saros_value x) {
    saros_type of = *saros_value_type(y), in = *saros_value_type(x);
    if (in.rank == 2 && of.rank >= 1 && of.rank <= 2 && of.shape[0] == in.shape[0]) return SAROS_OK;
    char a[128], b[128];
    return saros_fail(SAROS_ERR_SHAPE, "saros_laplacian", "x is (n,d), y is (n) or (n,k)",
                      "got y of type %s and x of type %s", saros_type_text(&of, a, sizeof a),
                      saros_type_text(&in, b, sizeof b));
}

saros_value saros_laplacian(saros_value y, saros_value x) {
    ad_walk walk;
    saros_value bad = ad_walk_begin(&walk, 1, &y, 1, &x, 0, NULL), result = SAROS_NONE, *of = NULL;
    saros_status status = SAROS_OK;
    if (!saros_is_none(bad)) return bad;
    SAROS_TRY(check_shapes(y, x));
    int d = (int)saros_value_type(x)->shape[1];
    size_t count = ((size_t)(walk.last - walk.first) + 1) * ((size_t)d + 1);
    if (!(of = saros_allocate_zero(count, sizeof *of))) SAROS_TRY(SAROS_ERR_MEMORY);
    if (walk.last > walk.first && ad_active(&walk, x.id)) {
        for (int i = 0; i < d; ++i) of[(x.id - walk.first) * (d + 1) + i] = unit_rows(x, i);
        SAROS_TRY(walk_laplacian(&walk, d, of, &bad));
        result = of[(y.id - walk.first) * (d + 1) + d];
    }
    result = saros_is_poisoned(bad) ? bad : saros_instantiate(result, y);
done:
    if (status != SAROS_OK) result = saros_poison(walk.into);
    saros_release(of);
    ad_walk_close(&walk);
    return result;
}
