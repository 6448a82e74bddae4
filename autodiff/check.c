/** Checks of derivatives at a point, along random directions.
 *
 *  With phi(e) = <f(x + e v), w>, the Taylor remainders
 *      R0 = |phi(e) - phi(0)|,  R1 = |… - e <J^T w, v>|,  R2 = |… - e^2/2 v.H v|
 *  fall at rates 1, 2, 3 as e is halved (as in pyadjoint's taylor_test); H is the jvp of the
 *  gradient. Besides: <Jv, w> = <v, J^T w>, and Jv against central differences. Works on a copy of
 *  the part of the graph that computes `out`; the graph itself is not changed. Where f has no
 * second derivative (a numeric call), rate[2] is NaN and does not count. Kinks at the point fail.
 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "region_impl.h"
#include "saros/autodiff.h"
#include "saros/memory.h"

enum { HALVINGS = 6 };
static const double first_step = 0.01;

typedef struct check {
    int ins, inputs;
    int *place; /**< of each `in` in the list of inputs */
    saros_body *body;
    saros_function *value, *first, *second;
    saros_tensor **call; /**< arguments: inputs, directions, w */
    double *direction;   /**< of all `in` in a row */
    double *buffer;      /**< w, y, Jv and two more of y's size */
    int64_t size, count; /**< elements of all `in` and of y */
    double unit;         /**< round-off of the dtype */
    uint64_t random;
} check;

/** Uniform in (-1, 1): splitmix64 (Steele, Lea, Flood 2014). */
static double draw(check *c) {
    uint64_t z = (c->random += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    z ^= z >> 31;
    return 2 * ((double)(z >> 11) + 0.5) / 9007199254740992.0 - 1;
}

static double product(int64_t n, const double *a, const double *b) {
    double sum = 0;
    for (int64_t k = 0; k < n; ++k) sum += a[k] * b[k];
    return sum;
}
static double norm(int64_t n, const double *a) {
    return sqrt(product(n, a, a));
}

/** Elements of a tensor as doubles. */
static saros_status read(const saros_tensor *tensor, double *to) {
    saros_tensor *wide = NULL;
    saros_status status = saros_tensor_cast(tensor, SAROS_F64, &wide);
    if (status == SAROS_OK)
        memcpy(to, saros_tensor_const_data(wide),
               (size_t)saros_tensor_count(wide) * sizeof(double));
    saros_tensor_release(wide);
    return status;
}

static saros_status write(const saros_type *type, const double *from, saros_tensor **out) {
    saros_tensor *wide = NULL;
    saros_status status = saros_tensor_from(SAROS_F64, type->rank, type->shape, from, &wide);
    if (status == SAROS_OK) status = saros_tensor_cast(wide, type->dtype, out);
    saros_tensor_release(wide);
    return status;
}

/* ---- functions ---- */

/** order 0: y. 1: y, Jv, J^T w. 2: v.H v with H of <y, w>. Inputs: those of the body, v, w. */
static saros_status build(const check *c, int order, saros_function **out) {
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
    if (order) saros_vjp(1, result, w, c->ins, in, g);
    if (order == 1) {
        saros_jvp(1, result, c->ins, in, v, result + 1);
        result[1] = saros_instantiate(result[1], result[0]);
        for (int k = 0; k < c->ins; ++k) result[2 + k] = saros_instantiate(g[k], in[k]);
        results = 2 + c->ins;
    } else if (order == 2) {
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

/** y at x + step v. */
static saros_status value_at(const check *c, double step, double *y) {
    saros_tensor **moved = saros_allocate((size_t)(c->inputs + 1) * sizeof(saros_tensor *));
    double *x = saros_allocate((size_t)(c->size + 1) * sizeof *x);
    saros_tensor *out = NULL;
    saros_status status = moved && x ? SAROS_OK : SAROS_ERR_MEMORY;
    int made = 0;
    if (status != SAROS_OK) goto done;
    memcpy(moved, c->call, (size_t)c->inputs * sizeof *moved);
    const double *v = c->direction;
    for (int k = 0; k < c->ins; ++k) {
        saros_tensor *from = c->call[c->place[k]];
        saros_type type = saros_tensor_type(from);
        int64_t n = saros_type_count(&type);
        SAROS_TRY(read(from, x));
        for (int64_t i = 0; i < n; ++i) x[i] += step * v[i];
        SAROS_TRY(write(&type, x, &moved[c->place[k]]));
        made = k + 1;
        v += n;
    }
    SAROS_TRY(saros_function_call(c->value, moved, &out, NULL));
    status = read(out, y);
done:
    for (int k = 0; k < made; ++k) saros_tensor_release(moved[c->place[k]]);
    saros_tensor_release(out);
    saros_release(moved);
    saros_release(x);
    return status;
}

/* ---- set up ---- */

static saros_status find_places(check *c, const saros_value *in, const saros_value *input) {
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
static saros_status choose_directions(check *c, const saros_type *out) {
    double *v = c->direction;
    saros_status status = SAROS_OK;
    for (int k = 0; k < c->ins; ++k) {
        saros_tensor *x = c->call[c->place[k]];
        saros_type type = saros_tensor_type(x);
        int64_t n = saros_type_count(&type);
        SAROS_TRY(read(x, v));
        double scale = n ? norm(n, v) / sqrt((double)n) : 0;
        if (!(scale > 0)) scale = 1;
        for (int64_t i = 0; i < n; ++i) v[i] = scale * draw(c);
        SAROS_TRY(write(&type, v, &c->call[c->inputs + k]));
        SAROS_TRY(read(c->call[c->inputs + k], v)); /* as the dtype has it */
        v += n;
    }
    for (int64_t i = 0; i < c->count; ++i) c->buffer[i] = draw(c);
    SAROS_TRY(write(out, c->buffer, &c->call[c->inputs + c->ins]));
    status = read(c->call[c->inputs + c->ins], c->buffer);
done:
    return status;
}

static saros_status prepare(check *c, saros_value out, const saros_value *in,
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
    c->direction = saros_allocate(2 * (size_t)(c->size + 1) * sizeof(double));
    c->buffer = saros_allocate(5 * (size_t)(c->count + 1) * sizeof(double));
    if (!c->direction || !c->buffer) SAROS_TRY(SAROS_ERR_MEMORY);
    SAROS_TRY(choose_directions(c, &type));
    SAROS_TRY(build(c, 0, &c->value));
    SAROS_TRY(build(c, 1, &c->first));
    status = build(c, 2, &c->second);
    if (status == SAROS_ERR_UNSUPPORTED) {
        saros_error_clear();
        status = SAROS_OK;
    }
done:
    saros_release(reached);
    return status;
}

static void finish(check *c) {
    for (int k = 0; c->call && k < c->inputs + c->ins + 1; ++k) saros_tensor_release(c->call[k]);
    saros_function_release(c->value);
    saros_function_release(c->first);
    saros_function_release(c->second);
    saros_body_release(c->body);
    saros_release(c->place);
    saros_release(c->call);
    saros_release(c->direction);
    saros_release(c->buffer);
}

/* ---- measure ---- */

/** Jv and J^T w: fills dot_error, y, Jv; *slope = <J^T w, v>. */
static saros_status first_derivatives(check *c, saros_gradient_report *report, double *slope) {
    double *w = c->buffer, *y = w + c->count, *jv = y + c->count;
    double *gradient = c->direction + c->size, *v = c->direction;
    saros_tensor **out = saros_allocate_zero((size_t)(c->ins + 2), sizeof *out);
    saros_status status = out ? SAROS_OK : SAROS_ERR_MEMORY;
    if (status != SAROS_OK) return status;
    SAROS_TRY(saros_function_call(c->first, c->call, out, NULL));
    SAROS_TRY(read(out[0], y));
    SAROS_TRY(read(out[1], jv));
    for (int k = 0; k < c->ins; ++k) {
        SAROS_TRY(read(out[2 + k], gradient));
        gradient += saros_tensor_count(out[2 + k]);
    }
    gradient = c->direction + c->size;
    *slope = product(c->size, gradient, v);
    double forward = product(c->count, jv, w);
    double scale =
        norm(c->count, jv) * norm(c->count, w) + norm(c->size, gradient) * norm(c->size, v);
    report->dot_error = scale > 0 ? fabs(forward - *slope) / scale : 0;
done:
    for (int k = 0; k < c->ins + 2; ++k) saros_tensor_release(out[k]);
    saros_release(out);
    return status;
}

static saros_status against_differences(check *c, saros_gradient_report *report) {
    double *y = c->buffer + c->count, *jv = y + c->count, *plus = jv + c->count,
           *minus = plus + c->count;
    double step = cbrt(c->unit);
    saros_status status;
    SAROS_TRY(value_at(c, step, plus));
    SAROS_TRY(value_at(c, -step, minus));
    for (int64_t k = 0; k < c->count; ++k) {
        plus[k] = (plus[k] - minus[k]) / (2 * step);
        minus[k] = plus[k] - jv[k];
    }
    double scale =
        fmax(norm(c->count, jv), norm(c->count, plus)) + 1e3 * c->unit / step * norm(c->count, y);
    report->jvp_error = scale > 0 ? norm(c->count, minus) / scale : 0;
done:
    return status;
}

/** Rates from the last pair of remainders above round-off; at round-off the nominal ones. */
static saros_status taylor_rates(check *c, double slope, saros_gradient_report *report) {
    double *w = c->buffer, *y = w + c->count, *moved = y + 2 * c->count;
    double phi = product(c->count, y, w), size = 0, curvature = NAN, before[3] = {0};
    saros_tensor *out = NULL;
    saros_status status = SAROS_OK;
    for (int64_t k = 0; k < c->count; ++k) size += fabs(y[k] * w[k]);
    if (c->second) {
        SAROS_TRY(saros_function_call(c->second, c->call, &out, NULL));
        SAROS_TRY(saros_tensor_item(out, &curvature));
    }
    double floor = 1e3 * c->unit * (size + fabs(slope) * first_step);
    for (int k = 0; k < 3; ++k) report->rate[k] = k + 1;
    if (!c->second) report->rate[2] = NAN;
    double step = first_step;
    for (int i = 0; i < HALVINGS; ++i, step /= 2) {
        SAROS_TRY(value_at(c, step, moved));
        double r = product(c->count, moved, w) - phi;
        double rest[3] = {r, r - step * slope, r - step * slope - step * step / 2 * curvature};
        for (int k = 0; k < 3; ++k) {
            rest[k] = fabs(rest[k]);
            if (i > 0 && rest[k] > floor && before[k] > floor)
                report->rate[k] = log2(before[k] / rest[k]);
            before[k] = rest[k];
        }
    }
done:
    saros_tensor_release(out);
    return status;
}

saros_status saros_check_gradient(saros_value out, int ins, const saros_value *in, int inputs,
                                  const saros_value *input, saros_tensor *const *at, int64_t seed,
                                  saros_gradient_report *report) {
    check c = {.ins = ins, .inputs = inputs, .random = (uint64_t)seed};
    saros_gradient_report r = {{0, 0, 0}, 0, 0, false};
    double slope = 0;
    saros_status status;
    SAROS_TRY(prepare(&c, out, in, input, at));
    SAROS_TRY(first_derivatives(&c, &r, &slope));
    SAROS_TRY(against_differences(&c, &r));
    SAROS_TRY(taylor_rates(&c, slope, &r));
    bool wide = c.unit < 1e-10;
    r.passed = r.rate[0] > 0.9 && r.rate[1] > 1.9 && !(r.rate[2] <= 2.9) &&
               r.dot_error < (wide ? 1e-10 : 1e-4) && r.jvp_error < (wide ? 1e-6 : 2e-2);
    *report = r;
    if (!r.passed)
        status = saros_fail(SAROS_ERR_DOMAIN, "saros_check_gradient",
                            "a rule is wrong, or the function has a kink or a jump near the point",
                            "Taylor rates %.2f %.2f %.2f (need 1 2 3), dot product error %.1e, "
                            "forward mode against differences %.1e",
                            r.rate[0], r.rate[1], r.rate[2], r.dot_error, r.jvp_error);
done:
    finish(&c);
    return status;
}
