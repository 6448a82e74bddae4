/** Checks of a row's derivatives: jvp against central differences, <Jv,w> = <v,J^T w>, jet against
 * nested jvp, f32 against f64. */
#ifndef SAROS_TESTS_TABLE_DERIVATIVES_H
#define SAROS_TESTS_TABLE_DERIVATIVES_H

#include "autodiff/table_case.h"

/** Directions for the float operands and weights for the float outputs, as further inputs. */
typedef struct table_vectors {
    saros_value v[TABLE_OPERANDS], w[TABLE_OUTPUTS];
    saros_value all[2 * TABLE_OPERANDS + TABLE_OUTPUTS];
    saros_tensor *at[2 * TABLE_OPERANDS + TABLE_OUTPUTS];
    int count; /**< of all: the operands first */
} table_vectors;

static inline void table_vectors_open(const table_case *c, table_vectors *t) {
    t->count = c->example->operands;
    for (int k = 0; k < t->count; ++k) {
        t->all[k] = c->in[k];
        t->at[k] = saros_tensor_retain(c->at[k]);
    }
    for (int k = 0; k < c->example->operands + c->outs; ++k) {
        bool operand = k < c->example->operands;
        saros_value like = operand ? c->in[k] : c->out[k - c->example->operands];
        saros_value *to = operand ? &t->v[k] : &t->w[k - c->example->operands];
        *to = SAROS_NONE;
        if (!table_floats(like)) continue;
        saros_type type = *saros_value_type(like), narrow = type;
        narrow.dtype = SAROS_F32;
        saros_tensor *numbers = run_tensor(&narrow, -1, 1);
        *to = saros_input(c->graph, &type, NULL);
        ck_ok(saros_tensor_cast(numbers, type.dtype, &t->at[t->count]));
        saros_tensor_release(numbers);
        t->all[t->count++] = *to;
    }
}

static inline void table_vectors_close(table_vectors *t) {
    for (int k = 0; k < t->count; ++k) saros_tensor_release(t->at[k]);
}

/** Output m at x + h v. */
static inline double *table_moved(const table_case *c, const table_vectors *t, double h, int m) {
    saros_tensor *at[TABLE_OPERANDS];
    int next = c->example->operands;
    for (int k = 0; k < c->example->operands; ++k) {
        if (!table_floats(c->in[k])) {
            at[k] = saros_tensor_retain(c->at[k]);
            continue;
        }
        double *x = run_read(c->at[k]), *v = run_read(t->at[next++]);
        for (int64_t i = 0; i < saros_tensor_count(c->at[k]); ++i) x[i] += h * v[i];
        saros_type type = saros_tensor_type(c->at[k]);
        at[k] = run_from(type.rank, type.shape, x);
        saros_release(x);
        saros_release(v);
    }
    double *y = run_one(c->example->operands, c->in, at, c->out[m]);
    for (int k = 0; k < c->example->operands; ++k) saros_tensor_release(at[k]);
    return y;
}

static inline void table_check_jvp(const table_example *example) {
    table_case c = table_open(example, SAROS_F64, 3);
    table_vectors t;
    table_vectors_open(&c, &t);
    saros_value tangent[TABLE_OUTPUTS];
    saros_jvp(c.outs, c.out, example->operands, c.in, t.v, tangent);
    for (int m = 0; m < c.outs && table_differentiable(&c); ++m) {
        if (!table_floats(c.out[m])) continue;
        int64_t n = table_count(c.out[m]);
        double *jv = run_one(t.count, t.all, t.at, saros_instantiate(tangent[m], c.out[m]));
        const double h = 1e-5;
        double *plus = table_moved(&c, &t, h, m), *minus = table_moved(&c, &t, -h, m);
        double *y = table_moved(&c, &t, 0, m);
        for (int64_t i = 0; i < n; ++i) plus[i] = (plus[i] - minus[i]) / (2 * h);
        double error = run_distance(n, jv, plus) / (1 + run_norm(n, jv) + run_norm(n, y));
        ck_assert_msg(error < 1e-7 * table_slack(example),
                      "%s: jvp of output %d is off differences by %.2g", example->row, m, error);
        table_note(&table_seen.jvp, &table_seen.jvp_row, error / table_slack(example),
                   example->row);
        saros_release(jv);
        saros_release(plus);
        saros_release(minus);
        saros_release(y);
    }
    table_vectors_close(&t);
    table_close(&c);
}

/** sum of a*b of f64 copies. */
static inline saros_value table_product(saros_value sum, saros_value a, saros_value b) {
    if (saros_is_none(a) || saros_is_none(b)) return sum;
    saros_value p = saros_mul(saros_cast(a, SAROS_F64), saros_cast(b, SAROS_F64));
    p = saros_sum(p, saros_all_axes(p));
    return saros_is_none(sum) ? p : saros_add(sum, p);
}

static inline void table_check_dot(const table_example *example, saros_dtype dtype) {
    table_case c = table_open(example, dtype, 3);
    table_vectors t;
    table_vectors_open(&c, &t);
    saros_value tangent[TABLE_OUTPUTS], gradient[TABLE_OPERANDS];
    saros_value forward = SAROS_NONE, reverse = SAROS_NONE, size = saros_scalar(c.graph, dtype, 0);
    size = saros_cast(size, SAROS_F64);
    saros_jvp(c.outs, c.out, example->operands, c.in, t.v, tangent);
    saros_vjp(c.outs, c.out, t.w, example->operands, c.in, gradient);
    for (int m = 0; m < c.outs; ++m) {
        forward = table_product(forward, tangent[m], t.w[m]);
        if (!saros_is_none(tangent[m]))
            size = table_product(size, saros_abs(tangent[m]), saros_abs(t.w[m]));
    }
    for (int k = 0; k < example->operands; ++k) {
        if (!saros_is_none(gradient[k])) {
            saros_type got = *saros_value_type(gradient[k]), need = *saros_value_type(c.in[k]);
            ck_assert_msg(saros_type_equal(&got, &need), "%s: type of gradient %d", example->row,
                          k);
            size = table_product(size, saros_abs(gradient[k]), saros_abs(t.v[k]));
        }
        reverse = table_product(reverse, gradient[k], t.v[k]);
    }
    ck_assert_msg(saros_graph_status(c.graph) == SAROS_OK, "%s: %s", example->row,
                  saros_error_last()->message);
    if (!saros_is_none(forward) || !saros_is_none(reverse)) {
        saros_value zero = saros_scalar(c.graph, SAROS_F64, 0);
        double a = run_scalar(t.count, t.all, t.at, saros_is_none(forward) ? zero : forward);
        double b = run_scalar(t.count, t.all, t.at, saros_is_none(reverse) ? zero : reverse);
        double s = run_scalar(t.count, t.all, t.at, size), error = fabs(a - b) / fmax(s, 1e-300);
        ck_assert_msg(error <= (dtype == SAROS_F64 ? 1e-13 : 1e-5) * table_slack(example),
                      "%s: <Jv,w> = %.17g, <v,J^T w> = %.17g", example->row, a, b);
        if (dtype == SAROS_F64)
            table_note(&table_seen.dot, &table_seen.dot_row, error / table_slack(example),
                       example->row);
    }
    table_vectors_close(&t);
    table_close(&c);
}

/** f32 results and tangents against f64 ones on the same numbers. */
static inline void table_check_narrow(const table_example *example) {
    table_case wide = table_open(example, SAROS_F64, 3);
    table_vectors p;
    table_vectors_open(&wide, &p);
    table_case narrow = table_open(example, SAROS_F32, 3);
    table_vectors q;
    table_vectors_open(&narrow, &q);
    saros_value a[2 * TABLE_OUTPUTS], b[2 * TABLE_OUTPUTS];
    saros_jvp(wide.outs, wide.out, example->operands, wide.in, p.v, a);
    saros_jvp(narrow.outs, narrow.out, example->operands, narrow.in, q.v, b);
    for (int m = 0; m < wide.outs; ++m) {
        if (!table_floats(wide.out[m])) continue;
        for (int s = 0; s < 2; ++s) {
            if (s && saros_is_none(a[m])) continue;
            double *x = run_one(p.count, p.all, p.at, s ? a[m] : wide.out[m]);
            double *y = run_one(q.count, q.all, q.at, s ? b[m] : narrow.out[m]);
            int64_t n = table_count(wide.out[m]);
            double error = run_distance(n, x, y) / (1 + run_norm(n, x));
            ck_assert_msg(error < 2e-5, "%s: f32 is off f64 by %.2g in output %d", example->row,
                          error, m);
            table_note(&table_seen.narrow, &table_seen.narrow_row, error, example->row);
            saros_release(x);
            saros_release(y);
        }
    }
    table_vectors_close(&p);
    table_vectors_close(&q);
    table_close(&wide);
    table_close(&narrow);
}

/** A curve x(t) = x0 + x1 t + … through the example's operands, and its coefficients. */
typedef struct table_curve {
    saros_value all[TABLE_OPERANDS * (TABLE_ORDER + 1) + 1], point[TABLE_OPERANDS], time;
    saros_value series[TABLE_OPERANDS * TABLE_ORDER];
    saros_tensor *at[TABLE_OPERANDS * (TABLE_ORDER + 1) + 1];
    int count, order;
} table_curve;

static inline void table_curve_open(const table_case *c, int order, table_curve *t) {
    const int operands = c->example->operands;
    saros_type real = saros_type_scalar(SAROS_F64);
    t->order = order;
    for (t->count = 0; t->count < operands; ++t->count) {
        t->all[t->count] = c->in[t->count];
        t->at[t->count] = saros_tensor_retain(c->at[t->count]);
    }
    t->all[t->count] = t->time = saros_input(c->graph, &real, "t");
    ck_ok(saros_tensor_scalar(SAROS_F64, 0, &t->at[t->count++]));
    for (int k = 0; k < operands; ++k) {
        saros_value sum = SAROS_NONE;
        for (int j = order; j >= 1; --j) {
            saros_value *u = &t->series[k * order + j - 1];
            *u = SAROS_NONE;
            if (!table_floats(c->in[k])) continue;
            saros_type type = *saros_value_type(c->in[k]);
            *u = saros_input(c->graph, &type, NULL);
            t->at[t->count] = run_tensor(&type, -0.5, 0.5);
            t->all[t->count++] = *u;
            sum = saros_is_none(sum) ? *u : saros_add(*u, saros_mul(t->time, sum));
        }
        t->point[k] = saros_is_none(sum) ? c->in[k] : saros_add(c->in[k], saros_mul(t->time, sum));
    }
}

/** Coefficient j of output m against `nested`, its j-th derivative by t. */
static inline void table_compare_jet(const table_case *c, const table_curve *t, int m, int j,
                                     double factorial, saros_value jet, saros_value nested) {
    double *a = run_one(t->count, t->all, t->at, saros_instantiate(jet, c->out[m]));
    double *b = run_one(t->count, t->all, t->at, saros_instantiate(nested, c->out[m]));
    int64_t n = table_count(c->out[m]);
    for (int64_t i = 0; i < n; ++i) b[i] /= factorial;
    double error = run_distance(n, a, b) / (1 + run_norm(n, b));
    ck_assert_msg(error < 1e-11 * table_slack(c->example),
                  "%s: jet is off nested jvp by %.2g at order %d, output %d", c->example->row,
                  error, j, m);
    table_note(&table_seen.jet, &table_seen.jet_row, error / table_slack(c->example),
               c->example->row);
    saros_release(a);
    saros_release(b);
}

/** Jet along the curve against derivatives by t, taken one inside the other. */
static inline void table_check_jet(const table_example *example) {
    table_case c = table_open(example, SAROS_F64, 3);
    table_curve t;
    saros_value out_series[TABLE_OUTPUTS * TABLE_ORDER], along[TABLE_OUTPUTS], one;
    double factorial = 1;
    if (!table_differentiable(&c)) {
        table_close(&c);
        return;
    }
    const int order = example->without & TABLE_NO_SECOND ? 1 : TABLE_ORDER;
    table_curve_open(&c, order, &t);
    one = saros_scalar(c.graph, SAROS_F64, 1);
    saros_jet(c.outs, c.out, example->operands, c.in, order, t.series, out_series);
    table_build(example, c.graph, t.point, along);
    for (int j = 1; j <= order; ++j) {
        saros_value next[TABLE_OUTPUTS];
        saros_jvp(c.outs, along, 1, &t.time, &one, next);
        memcpy(along, next, sizeof along);
        factorial *= j;
        ck_assert_msg(saros_graph_status(c.graph) == SAROS_OK, "%s: %s", example->row,
                      saros_error_last()->message);
        for (int m = 0; m < c.outs; ++m)
            if (table_floats(c.out[m]))
                table_compare_jet(&c, &t, m, j, factorial, out_series[m * order + j - 1], along[m]);
    }
    for (int k = 0; k < t.count; ++k) saros_tensor_release(t.at[k]);
    table_close(&c);
}

#endif
