/** GradBench's bundle adjustment: errors, blocks of the Jacobian, gradient of the sum of squares.
 */
#include "autodiff/gradbench_ba.h"
#include "autodiff/gradbench_scene.h"

enum { CAMERAS = 2, MARKS = 3, SEEN = 6 };

static const ba sizes = {.cameras = CAMERAS, .marks = MARKS, .seen = SEEN};
static const int64_t camera_of[SEEN] = {0, 0, 0, 1, 1, 1}, mark_of[SEEN] = {0, 1, 2, 0, 2, 1};

static void project_plain(const number *c, const number *at, number *to) {
    number x[3], angle = csqrt(c[0] * c[0] + c[1] * c[1] + c[2] * c[2]), dot = 0, y[3];
    for (int a = 0; a < 3; ++a) x[a] = at[a] - c[3 + a];
    for (int a = 0; a < 3; ++a) dot += c[a] / angle * x[a];
    for (int a = 0; a < 3; ++a) {
        int b = (a + 1) % 3, d = (a + 2) % 3;
        number cross = (c[b] * x[d] - c[d] * x[b]) / angle;
        y[a] = x[a] * ccos(angle) + cross * csin(angle) + c[a] / angle * dot * (1 - ccos(angle));
    }
    number u = y[0] / y[2], v = y[1] / y[2], square = u * u + v * v;
    number bend = 1 + c[9] * square + c[10] * square * square;
    to[0] = u * bend * c[6] + c[7];
    to[1] = v * bend * c[6] + c[8];
}

/** Three errors of observation p. */
static void errors_plain(const number *x, const double *feature, int p, number *out) {
    const number *mark = x + CAMERAS * BA_CAMERA, *weight = mark + MARKS * 3;
    number seen[2];
    project_plain(x + camera_of[p] * BA_CAMERA, mark + mark_of[p] * 3, seen);
    for (int a = 0; a < 2; ++a) out[a] = weight[p] * (seen[a] - feature[2 * p + a]);
    out[2] = 1 - weight[p] * weight[p];
}

static number squares_plain(const number *x, const void *user) {
    number sum = 0, error[3];
    for (int p = 0; p < SEEN; ++p) {
        errors_plain(x, user, p, error);
        for (int a = 0; a < 3; ++a) sum += error[a] * error[a] / 2;
    }
    return sum;
}

/** The scene with its features; the errors of its graph. */
static const double *open_sizes(scene *s, saros_value row[3], saros_value error[2]) {
    saros_type type[BA_INS];
    *s = scene_open();
    ba_types(&sizes, type);
    scene_input(s, &type[0], 0.2, 0.9);
    scene_input(s, &type[1], 2, 4);
    scene_input(s, &type[2], 0.3, 1);
    const double *feature = scene_data(s, &type[3], -1, 1);
    memcpy(scene_data(s, &type[4], 0, 1), camera_of, sizeof camera_of);
    memcpy(scene_data(s, &type[5], 0, 1), mark_of, sizeof mark_of);
    ba_rows(s->in, row);
    ba_errors(row, s->in[3], error);
    return feature;
}

/** Where number j of a block of observation p stands in x. */
static int place_of(int p, int j) {
    if (j < BA_CAMERA) return (int)camera_of[p] * BA_CAMERA + j;
    if (j < BA_CAMERA + 3) return CAMERAS * BA_CAMERA + (int)mark_of[p] * 3 + j - BA_CAMERA;
    return CAMERAS * BA_CAMERA + MARKS * 3 + p;
}

START_TEST(errors_and_blocks_are_right) {
    scene s;
    saros_value row[3], value[5];
    const double *feature = open_sizes(&s, row, value);
    ba_jacobian(row, value, value + 2);
    saros_tensor *out[5];
    double *got[5];
    ck_ok(saros_graph_status(s.graph));
    run_values(s.ins, s.in, s.at, 5, value, out);
    for (int k = 0; k < 5; ++k) got[k] = run_read(out[k]);
    number x[SCENE_MOST], error[3];
    for (int64_t i = 0; i < s.count; ++i) x[i] = s.x[i];
    for (int p = 0; p < SEEN; ++p)
        for (int j = 0; j < BA_BLOCK; ++j) {
            const int at = place_of(p, j);
            x[at] += I * scene_step;
            errors_plain(x, feature, p, error);
            x[at] = s.x[at];
            for (int a = 0; a < 2; ++a) {
                ck_near(got[0][2 * p + a], creal(error[a]), 1e-13);
                ck_near(got[2 + a][p * BA_BLOCK + j], cimag(error[a]) / scene_step, 1e-12);
            }
            ck_near(got[1][p], creal(error[2]), 1e-14);
            if (j + 1 == BA_BLOCK) ck_near(got[4][p], cimag(error[2]) / scene_step, 1e-14);
        }
    for (int k = 0; k < 5; ++k) {
        saros_release(got[k]);
        saros_tensor_release(out[k]);
    }
    scene_close(&s);
}
END_TEST

START_TEST(the_gradient_of_the_squares_is_right) {
    scene s;
    saros_value row[3], error[2];
    const void *feature = open_sizes(&s, row, error);
    saros_value squares = saros_add(saros_sum(saros_mul(error[0], error[0]), 3),
                                    saros_sum(saros_mul(error[1], error[1]), 3));
    scene_check(&s, saros_mul(saros_like(squares, 0.5), squares), squares_plain, feature);
    scene_close(&s);
}
END_TEST

SAROS_TEST_MAIN("autodiff/gradbench_ba", errors_and_blocks_are_right,
                the_gradient_of_the_squares_is_right)
