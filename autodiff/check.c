/** Checks of derivatives at a point, along random directions.
 *
 *  With phi(e) = <f(x + e v), w>, the Taylor remainders
 *      R0 = |phi(e) - phi(0)|,  R1 = |… - e <J^T w, v>|,  R2 = |… - e^2/2 v.H v|
 *  fall at rates 1, 2, 3 as e is halved (as in pyadjoint's taylor_test); H is the jvp of the
 *  gradient. Besides: <Jv, w> = <v, J^T w>, Jv against central differences, and where f has loops
 * J^T w once more with what their reverse sweeps keep changed: all states instead of few, few
 * instead of all. All of it at the point and at a second one beside it; the worst of both counts.
 * Works on a copy of the part of the graph that computes `out`; the graph itself is not changed.
 * Where f has no second derivative (a numeric call), rate[2] is NaN and does not count. Kinks at
 * the point fail, and so do derivatives that are not finite. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "check_impl.h"
#include "loop_impl.h"
#include "saros/memory.h"

static const double beside = 0.05;

/** Uniform in (-1, 1): splitmix64 (Steele, Lea, Flood 2014). */
static double draw(ad_check *c) {
    uint64_t z = (c->random += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    z ^= z >> 31;
    return 2 * ((double)(z >> 11) + 0.5) / 9007199254740992.0 - 1;
}

/* ---- functions ---- */

enum { VALUE, FIRST, SECOND, OTHER };

/** Whether the body or one inside it has a loop. */
static bool has_loop(const saros_body *body) {
    saros_graph *graph = saros_body_graph(body);
    for (int32_t id = 0; id < saros_graph_count(graph); ++id) {
        saros_node node = saros_graph_node(graph, id, NULL);
        if (node.row == &saros_row_loop) return true;
        for (int k = 0; k < node.attributes.bodies; ++k)
            if (has_loop(node.attributes.body[k])) return true;
    }
    return false;
}

/** VALUE: y. FIRST: y, Jv, J^T w. SECOND: v.H v with H of <y, w>. OTHER: J^T w again, with other
 * memory. Inputs: those of the body, v, w. */
static saros_status build(const ad_check *c, int order, saros_function **out) {
    saros_graph *graph = NULL;
    int most = c->inputs + 3 * c->ins + 4;
    saros_value *x = ad_values(2 * most);
    if (!x) return SAROS_ERR_MEMORY;
    saros_value *result = x + most, *v = x + c->inputs, *w = v + c->ins;
    saros_value *in = w + 1, *g = in + c->ins;
    int results = 1;
    saros_status status = saros_graph_make(&graph);
    if (status != SAROS_OK) goto done;
    for (int k = 0; k < c->inputs; ++k) {
        saros_type type = ad_body_type(c->body, k);
        x[k] = saros_input(graph, &type, saros_value_name(saros_body_input(c->body, k)));
    }
    saros_inline(graph, c->body, x, result);
    for (int k = 0; order && k < c->ins; ++k) {
        saros_type type = *saros_value_type(x[c->place[k]]);
        v[k] = saros_input(graph, &type, "direction");
        in[k] = x[c->place[k]];
    }
    saros_type type = *saros_value_type(result[0]);
    if (order) *w = saros_input(graph, &type, "weight");
    ad_loop_other_memory = order == OTHER;
    if (order) saros_vjp(1, result, w, c->ins, in, g);
    ad_loop_other_memory = false;
    if (order == OTHER) {
        for (int k = 0; k < c->ins; ++k) result[k] = saros_instantiate(g[k], in[k]);
        results = c->ins;
    } else if (order == FIRST) {
        saros_jvp(1, result, c->ins, in, v, result + 1);
        result[1] = saros_instantiate(result[1], result[0]);
        for (int k = 0; k < c->ins; ++k) result[2 + k] = saros_instantiate(g[k], in[k]);
        results = 2 + c->ins;
    } else if (order == SECOND) {
        saros_value sum = saros_scalar(graph, type.dtype, 0), *h = result + 1;
        saros_jvp(c->ins, g, c->ins, in, v, h);
        for (int k = 0; k < c->ins; ++k)
            if (!saros_is_none(h[k])) {
                saros_value term = saros_mul(h[k], v[k]);
                sum = saros_add(sum, saros_sum(term, saros_all_axes(term)));
            }
        result[0] = sum;
    }
    status = saros_compile(graph, order ? c->inputs + c->ins + 1 : c->inputs, x, results, result,
                           NULL, out);
done:
    saros_release(x);
    saros_graph_release(graph);
    return status;
}

/* ---- set up ---- */

static saros_status find_places(ad_check *c, const saros_value *in, const saros_value *input) {
    for (int k = 0; k < c->ins; ++k) {
        c->place[k] = -1;
        for (int m = 0; m < c->inputs; ++m)
            if (saros_same(in[k], input[m])) c->place[k] = m;
        if (c->place[k] < 0 || !saros_dtype_is_float(saros_value_dtype(in[k])))
            return saros_fail(SAROS_ERR_USAGE, "saros_check_gradient", NULL,
                              "value %d to differentiate by is not among the inputs, or no float",
                              k);
    }
    return SAROS_OK;
}

/** Random directions of the size of each input; w of size one. Fills the trailing arguments. */
static saros_status choose_directions(ad_check *c, const saros_type *out) {
    double *v = c->direction;
    saros_status status = SAROS_OK;
    for (int k = 0; k < c->ins; ++k) {
        saros_tensor *x = c->call[c->place[k]];
        saros_type type = saros_tensor_type(x);
        int64_t n = saros_type_count(&type);
        SAROS_TRY(ad_check_read(x, v));
        double scale = n ? ad_check_norm(n, v) / sqrt((double)n) : 0;
        if (!(scale > 0)) scale = 1;
        for (int64_t i = 0; i < n; ++i) v[i] = scale * draw(c);
        SAROS_TRY(ad_check_write(&type, v, &c->call[c->inputs + k]));
        SAROS_TRY(ad_check_read(c->call[c->inputs + k], v)); /* as the dtype has it */
        v += n;
    }
    for (int64_t i = 0; i < c->count; ++i) c->buffer[i] = draw(c);
    SAROS_TRY(ad_check_write(out, c->buffer, &c->call[c->inputs + c->ins]));
    status = ad_check_read(c->call[c->inputs + c->ins], c->buffer);
done:
    return status;
}

static saros_status prepare(ad_check *c, saros_value out, const saros_value *in,
                            const saros_value *input, saros_tensor *const *at) {
    saros_status status = SAROS_OK;
    bool *reached = saros_allocate_zero((size_t)c->ins + 1, sizeof *reached), any = false;
    c->place = saros_allocate_zero((size_t)c->ins + 1, sizeof *c->place);
    c->call = saros_allocate_zero((size_t)(c->inputs + c->ins + 1), sizeof(saros_tensor *));
    if (!reached || !c->place || !c->call) SAROS_TRY(SAROS_ERR_MEMORY);
    SAROS_TRY(saros_graph_status(out.graph));
    SAROS_TRY(find_places(c, in, input));
    saros_depends(1, &out, c->ins, in, reached);
    for (int k = 0; k < c->ins; ++k) any = any || reached[k];
    if (!any)
        SAROS_TRY(saros_fail(SAROS_ERR_USAGE, "saros_check_gradient", NULL,
                             "the output does not depend on any of the given inputs"));
    SAROS_TRY(saros_body_extract(out.graph, c->inputs, input, 1, &out, &c->body, NULL));
    if (saros_body_captures(c->body))
        SAROS_TRY(saros_fail(SAROS_ERR_USAGE, "saros_check_gradient",
                             "list every input that the output uses", "an input is missing"));
    for (int k = 0; k < c->inputs; ++k) c->call[k] = saros_tensor_retain(at[k]);
    for (int k = 0; k < c->ins; ++k) c->size += saros_tensor_count(at[c->place[k]]);
    saros_type type = *saros_value_type(out);
    c->count = saros_type_count(&type);
    c->unit = type.dtype == SAROS_F32 ? FLT_EPSILON : DBL_EPSILON;
    c->direction = saros_allocate(3 * (size_t)(c->size + 1) * sizeof(double));
    c->buffer = saros_allocate(5 * (size_t)(c->count + 1) * sizeof(double));
    if (!c->direction || !c->buffer) SAROS_TRY(SAROS_ERR_MEMORY);
    SAROS_TRY(choose_directions(c, &type));
    SAROS_TRY(build(c, VALUE, &c->value));
    SAROS_TRY(build(c, FIRST, &c->first));
    if (has_loop(c->body)) SAROS_TRY(build(c, OTHER, &c->other));
    status = build(c, SECOND, &c->second);
    if (status == SAROS_ERR_UNSUPPORTED) {
        saros_error_clear();
        status = SAROS_OK;
    }
done:
    saros_release(reached);
    return status;
}

static void finish(ad_check *c) {
    for (int k = 0; c->call && k < c->inputs + c->ins + 1; ++k) saros_tensor_release(c->call[k]);
    saros_function_release(c->value);
    saros_function_release(c->first);
    saros_function_release(c->second);
    saros_function_release(c->other);
    saros_body_release(c->body);
    saros_release(c->place);
    saros_release(c->call);
    saros_release(c->direction);
    saros_release(c->buffer);
}

/* ---- the two points ---- */

/** Moves the point by `step` along the direction. */
static saros_status move_point(ad_check *c, double step) {
    const double *v = c->direction;
    saros_status status = SAROS_OK;
    for (int k = 0; k < c->ins && status == SAROS_OK; ++k) {
        saros_tensor **x = &c->call[c->place[k]], *moved = NULL;
        saros_type type = saros_tensor_type(*x);
        int64_t n = saros_type_count(&type);
        double *to = saros_allocate((size_t)(n + 1) * sizeof *to);
        status = to ? ad_check_read(*x, to) : SAROS_ERR_MEMORY;
        for (int64_t i = 0; i < n && status == SAROS_OK; ++i) to[i] += step * v[i];
        if (status == SAROS_OK) status = ad_check_write(&type, to, &moved);
        if (status == SAROS_OK) {
            saros_tensor_release(*x);
            *x = moved;
        }
        saros_release(to);
        v += n;
    }
    return status;
}

/** To a point beside the first where f is finite too, with directions of its own. */
static saros_status go_beside(ad_check *c) {
    saros_type type = *saros_function_output_type(c->value, 0);
    double *y = c->buffer + c->count, step = beside;
    saros_status status = SAROS_OK;
    for (int tries = 0; tries < 6; ++tries, step /= 2) {
        status = ad_check_value(c, step, y);
        if (status != SAROS_OK) saros_error_clear(); /* outside of what f takes */
        if (status == SAROS_OK && ad_check_finite(c->count, y)) break;
        status = SAROS_ERR_NAN;
    }
    if (status != SAROS_OK)
        return saros_fail(SAROS_ERR_NAN, "saros_check_gradient", NULL,
                          "the function is not finite beside the point");
    SAROS_TRY(move_point(c, step));
    for (int k = 0; k < c->ins + 1; ++k) {
        saros_tensor_release(c->call[c->inputs + k]);
        c->call[c->inputs + k] = NULL;
    }
    status = choose_directions(c, &type);
done:
    return status;
}

/** The worse of two reports. */
static void join(saros_gradient_report *a, const saros_gradient_report *b) {
    for (int k = 0; k < 3; ++k) a->rate[k] = fmin(a->rate[k], b->rate[k]);
    a->dot_error = fmax(a->dot_error, b->dot_error);
    a->jvp_error = fmax(a->jvp_error, b->jvp_error);
    a->memory_error = fmax(a->memory_error, b->memory_error);
    a->passed = a->passed && b->passed;
}

saros_status saros_check_gradient(saros_value out, int ins, const saros_value *in, int inputs,
                                  const saros_value *input, saros_tensor *const *at, int64_t seed,
                                  saros_gradient_report *report) {
    ad_check c = {.ins = ins, .inputs = inputs, .random = (uint64_t)seed};
    saros_gradient_report r = {0}, second = {0};
    saros_status status;
    SAROS_TRY(prepare(&c, out, in, input, at));
    SAROS_TRY(ad_check_measure(&c, &r));
    SAROS_TRY(go_beside(&c));
    SAROS_TRY(ad_check_measure(&c, &second));
    join(&r, &second);
    *report = r;
    if (!r.passed)
        status =
            saros_fail(SAROS_ERR_DOMAIN, "saros_check_gradient",
                       "a rule is wrong, or the function has a kink or a jump near the point",
                       "Taylor rates %.2f %.2f %.2f (need 1 2 3), dot product error %.1e, "
                       "forward mode against differences %.1e, with other memory %.1e",
                       r.rate[0], r.rate[1], r.rate[2], r.dot_error, r.jvp_error, r.memory_error);
done:
    finish(&c);
    return status;
}
