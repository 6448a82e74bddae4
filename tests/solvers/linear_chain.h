/** A chain of unknowns to solve for: A(p, d) x = b, its dense form, and a point. */
#ifndef TESTS_SOLVERS_LINEAR_CHAIN_H
#define TESTS_SOLVERS_LINEAR_CHAIN_H

#include "saros_check.h"

#include "saros/autodiff.h"
#include "saros/linear.h"

enum { N = 12 };

/* (A x)_i = (d_i + p^2) x_i - x_{i-1} - x_{i+1} + s p (x_{i+1} - x_{i-1}): symmetric for s = 0 */
typedef struct chain {
    saros_value p, d;
    double s;
} chain;

static inline saros_status chain_product(saros_graph *g, saros_value x, void *user,
                                         saros_value *y) {
    (void)g;
    const chain *k = user;
    saros_value left = saros_shift(x, 0, 1, SAROS_EDGE_ZERO);
    saros_value right = saros_shift(x, 0, -1, SAROS_EDGE_ZERO);
    saros_value own = saros_mul(saros_add(k->d, saros_mul(k->p, k->p)), x);
    saros_value skew = saros_mul(saros_mul(k->p, saros_sub(right, left)), saros_like(x, k->s));
    *y = saros_add(saros_sub(own, saros_add(left, right)), skew);
    return SAROS_OK;
}

/* p, d, b; and the point. */
typedef struct fixture {
    saros_graph *g;
    saros_value in[3];
    saros_tensor *at[3];
    chain k;
} fixture;

static inline fixture fixture_make(double s) {
    fixture t = {0};
    const int64_t n = N;
    saros_type scalar = saros_type_scalar(SAROS_F64), vector = saros_type_make(SAROS_F64, 1, &n);
    ck_ok(saros_graph_make(&t.g));
    t.in[0] = saros_input(t.g, &scalar, "p");
    t.in[1] = saros_input(t.g, &vector, "d");
    t.in[2] = saros_input(t.g, &vector, "b");
    t.k = (chain){t.in[0], t.in[1], s};
    ck_ok(saros_tensor_scalar(SAROS_F64, 0.7, &t.at[0]));
    for (int k = 1; k < 3; ++k) {
        ck_ok(saros_tensor_make(SAROS_F64, 1, &n, &t.at[k]));
        double *v = saros_tensor_data(t.at[k]);
        for (int i = 0; i < N; ++i) v[i] = k == 1 ? 2 + 0.1 * sin(1.3 * i) : cos(0.7 * i);
    }
    return t;
}

static inline void fixture_free(fixture *t) {
    for (int k = 0; k < 3; ++k) saros_tensor_release(t->at[k]);
    saros_graph_release(t->g);
}

/* A as an array, solved by dense LU. */
static inline saros_value solve_dense(const fixture *t, saros_value b) {
    saros_type type = *saros_value_type(t->in[1]);
    saros_value x = saros_splat(t->g, &type, 0), y;
    x = saros_alias(x);
    ck_ok(chain_product(t->g, x, (void *)(uintptr_t)&t->k, &y));
    return saros_solve(saros_dense_jacobian(y, x), b);
}

static inline saros_value all_of(saros_value like, double value) {
    saros_type type = *saros_value_type(like);
    return saros_splat(like.graph, &type, value);
}

static inline int plain(const fixture *t, saros_value x, saros_value *out) {
    (void)t;
    out[0] = x;
    return 1;
}

static inline int forward(const fixture *t, saros_value x, saros_value *out) {
    saros_value along[3];
    for (int k = 0; k < 3; ++k) along[k] = saros_sin(saros_add(t->in[k], saros_like(t->in[k], k)));
    saros_jvp(1, &x, 3, t->in, along, out);
    return 1;
}

static inline int reverse(const fixture *t, saros_value x, saros_value *out) {
    saros_value w = saros_cos(x);
    saros_vjp(1, &x, &w, 3, t->in, out);
    return 3;
}

/** The status of computing x at the point. */
static inline saros_status run(const fixture *t, saros_value x) {
    saros_function *f = NULL;
    saros_tensor *value = NULL;
    saros_status status = saros_compile(t->g, 3, t->in, 1, &x, NULL, &f);
    if (status == SAROS_OK) status = saros_function_call(f, t->at, &value, NULL);
    ck_assert(status == SAROS_OK || value == NULL);
    saros_tensor_release(value);
    saros_function_release(f);
    return status;
}

#endif
