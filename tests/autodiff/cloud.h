/** A few random points (n,d) in [-1,1), as what the tests of operators differentiate by. */
#ifndef SAROS_TESTS_CLOUD_H
#define SAROS_TESTS_CLOUD_H

#include "autodiff/graph_run.h"

enum { CLOUD_MOST = 8 }; /* columns of unit vectors */

typedef struct cloud {
    saros_graph *graph;
    saros_value x;
    saros_tensor *at;
    double *point;
    int64_t n, d;
} cloud;

static inline cloud cloud_open(int64_t n, int64_t d) {
    cloud c = {.n = n, .d = d};
    ck_ok(saros_graph_make(&c.graph));
    saros_type type = saros_type_make(SAROS_F64, 2, (int64_t[]){n, d});
    run_state = 11;
    c.x = saros_input(c.graph, &type, "x");
    c.at = run_tensor(&type, -1, 1);
    c.point = run_read(c.at);
    return c;
}

static inline void cloud_close(cloud *c) {
    saros_release(c->point);
    saros_tensor_release(c->at);
    saros_graph_release(c->graph);
}

/** Coordinate a, shape (n). */
static inline saros_value cloud_coordinate(const cloud *c, int a) {
    return saros_reshape(saros_slice(c->x, 1, a, a + 1, 1), 1, (int64_t[]){c->n});
}

/** The numbers `row` (d) as a constant. */
static inline saros_value cloud_row(const cloud *c, const double *row) {
    saros_tensor *t = run_from(1, &c->d, row);
    saros_value v = saros_constant(c->graph, t);
    saros_tensor_release(t);
    return v;
}

/** Unit vector of axis a in every row. */
static inline saros_value cloud_axis(const cloud *c, int a) {
    double unit[CLOUD_MOST] = {0};
    unit[a] = 1;
    return saros_broadcast(cloud_row(c, unit), 2, (int64_t[]){c->n, c->d}, NULL);
}

/** A constant matrix of random numbers. */
static inline saros_value cloud_matrix(const cloud *c, int64_t rows, int64_t columns) {
    saros_type type = saros_type_make(SAROS_F64, 2, (int64_t[]){rows, columns});
    saros_tensor *tensor = run_tensor(&type, -1, 1);
    saros_value v = saros_constant(c->graph, tensor);
    saros_tensor_release(tensor);
    return v;
}

/** Two hidden layers of 7 and 6, two outputs, random weights. */
static inline saros_value cloud_network(const cloud *c) {
    const int64_t wide[4] = {c->d, 7, 6, 2};
    saros_value h = c->x;
    for (int layer = 0; layer < 3; ++layer) {
        h = saros_matmul(h, cloud_matrix(c, wide[layer], wide[layer + 1]));
        if (layer < 2) h = saros_tanh(h);
    }
    return h;
}

static inline double *cloud_run(const cloud *c, saros_value v) {
    return run_one(1, &c->x, &c->at, v);
}

/** |a - b| <= tolerance |b|, norms over all elements. */
static inline void cloud_same(const cloud *c, saros_value a, saros_value b, double tolerance) {
    ck_assert_msg(saros_graph_status(c->graph) == SAROS_OK, "%s", saros_error_last()->message);
    double *x = cloud_run(c, a), *y = cloud_run(c, b);
    int64_t n = saros_type_count(saros_value_type(b));
    double scale = run_norm(n, y) + 1e-3;
    ck_assert_msg(run_distance(n, x, y) <= tolerance * scale, "off by %.3g (%.15g, %.15g)",
                  run_distance(n, x, y) / scale, x[0], y[0]);
    saros_release(x);
    saros_release(y);
}

#endif
