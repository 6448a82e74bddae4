/** GradBench's bundle adjustment (github.com/gradbench/gradbench, after ADBench): errors of the
 * projections of marks into cameras, each with a weight w, and 1 - w^2.
 *
 *  A camera is a rotation r (axis times angle), a centre, a focal length, a principal point and two
 * radial distortions. Its Jacobian has a block of 2 x 15 numbers for each observation, by camera,
 * mark and weight: two gradients by the gathered rows. */
#ifndef SAROS_TESTS_GRADBENCH_BA_H
#define SAROS_TESTS_GRADBENCH_BA_H

#include "saros/autodiff.h"

typedef struct ba {
    int64_t cameras, marks, seen;
} ba;

enum { BA_CAMERA = 11, BA_BLOCK = BA_CAMERA + 3 + 1 };

/** Types of what ba_errors takes: cameras (C,11), marks (M,3), weights (P), features (P,2), which
 * camera and which mark is seen (P) each. */
enum { BA_MOVING = 3, BA_INS = 6 };
static inline void ba_types(const ba *b, saros_type type[BA_INS]) {
    type[0] = saros_type_make(SAROS_F64, 2, (int64_t[]){b->cameras, BA_CAMERA});
    type[1] = saros_type_make(SAROS_F64, 2, (int64_t[]){b->marks, 3});
    type[2] = saros_type_make(SAROS_F64, 1, &b->seen);
    type[3] = saros_type_make(SAROS_F64, 2, (int64_t[]){b->seen, 2});
    type[4] = type[5] = saros_type_make(SAROS_I64, 1, &b->seen);
}

static inline saros_value ba_columns(saros_value v, int64_t first, int64_t last) {
    return saros_slice(v, 1, first, last, 1);
}
static inline saros_value ba_sum_columns(saros_value v) {
    return saros_reshape(saros_sum(v, 2), 2, (int64_t[]){saros_value_type(v)->shape[0], 1});
}

/** Projections (P,2) of marks `at` (P,3) by cameras c (P,11); Rodrigues' formula. */
static inline saros_value ba_project(saros_value c, saros_value at) {
    saros_value r = ba_columns(c, 0, 3), x = saros_sub(at, ba_columns(c, 3, 6)), part[3];
    saros_value angle = saros_sqrt(ba_sum_columns(saros_mul(r, r))), w = saros_div(r, angle);
    for (int a = 0; a < 3; ++a) {
        int b = (a + 1) % 3, d = (a + 2) % 3;
        part[a] = saros_sub(saros_mul(ba_columns(w, b, b + 1), ba_columns(x, d, d + 1)),
                            saros_mul(ba_columns(w, d, d + 1), ba_columns(x, b, b + 1)));
    }
    saros_value cosine = saros_cos(angle), one = saros_like(angle, 1);
    saros_value dot = ba_sum_columns(saros_mul(w, x));
    saros_value along = saros_mul(saros_mul(w, dot), saros_sub(one, cosine));
    saros_value turned = saros_add(saros_mul(saros_concat(3, part, 1), saros_sin(angle)), along);
    saros_value y = saros_add(saros_mul(x, cosine), turned);
    saros_value flat = saros_div(ba_columns(y, 0, 2), ba_columns(y, 2, 3));
    saros_value far = ba_sum_columns(saros_mul(flat, flat));
    saros_value bend = saros_add(ba_columns(c, 9, 10), saros_mul(ba_columns(c, 10, 11), far));
    bend = saros_add(one, saros_mul(far, bend));
    return saros_add(saros_mul(saros_mul(flat, bend), ba_columns(c, 6, 7)), ba_columns(c, 7, 9));
}

/** What each observation reads, values of their own: camera (P,11), mark (P,3), weight (P,1). */
static inline void ba_rows(const saros_value in[BA_INS], saros_value row[3]) {
    row[0] = saros_alias(saros_gather(in[0], in[4], 0));
    row[1] = saros_alias(saros_gather(in[1], in[5], 0));
    row[2] =
        saros_alias(saros_reshape(in[2], 2, (int64_t[]){saros_value_type(in[2])->shape[0], 1}));
}

/** out[0] (P,2): weighted errors; out[1] (P,1): errors of the weights. */
static inline void ba_errors(const saros_value row[3], saros_value feature, saros_value out[2]) {
    out[0] = saros_mul(row[2], saros_sub(ba_project(row[0], row[1]), feature));
    out[1] = saros_sub(saros_like(row[2], 1), saros_mul(row[2], row[2]));
}

/** Blocks of the Jacobian (P,15), one for each of the two weighted errors, and that of the weight's
 * own error (P,1). */
static inline void ba_jacobian(const saros_value row[3], const saros_value error[2],
                               saros_value out[3]) {
    saros_value g[3];
    for (int k = 0; k < 2; ++k) {
        saros_value column = ba_columns(error[0], k, k + 1), one = saros_like(column, 1);
        one = saros_broadcast(one, 2, saros_value_type(column)->shape, NULL);
        saros_vjp(1, &column, &one, 3, row, g);
        out[k] = saros_concat(3, g, 1);
    }
    saros_value one =
        saros_broadcast(saros_like(error[1], 1), 2, saros_value_type(error[1])->shape, NULL);
    saros_vjp(1, &error[1], &one, 1, &row[2], &out[2]);
}

#endif
