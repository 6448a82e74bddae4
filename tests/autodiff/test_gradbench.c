/** Three problems of GradBench (github.com/gradbench/gradbench, after ADBench: Srajer, Kukelova,
 * Fitzgibbon, Optimization Methods and Software 33, 2018): Gaussian mixture, bundle adjustment,
 * LSTM.
 *
 *  The same functions are written a second time in plain complex C; the imaginary step
 *      df/dx = Im f(x + i h) / h,  h = 1e-30,
 *  gives derivatives to round-off without differentiating or differencing anything. */
#include <complex.h>

#include "autodiff/graph_run.h"

typedef double complex number;
static const double step = 1e-30;

enum { MOST = 160 };

/** All inputs of a problem in one row: names in the graph and plain numbers. */
typedef struct scene {
    saros_graph *graph;
    saros_value in[4], all[8];
    saros_tensor *at[8];
    int ins, given; /**< given: ins, then those without derivatives and directions */
    int64_t size[4];
    double x[MOST];
} scene;

static saros_value scene_input(scene *s, int rank, const int64_t *shape, double lo, double hi) {
    saros_type type = saros_type_make(SAROS_F64, rank, shape);
    saros_tensor *t = run_tensor(&type, lo, hi);
    int64_t before = 0;
    for (int k = 0; k < s->ins; ++k) before += s->size[k];
    s->size[s->ins] = saros_type_count(&type);
    ck_assert_int_le(before + s->size[s->ins], MOST);
    memcpy(s->x + before, saros_tensor_const_data(t), (size_t)s->size[s->ins] * sizeof(double));
    s->at[s->given] = t;
    s->all[s->given++] = s->in[s->ins] = saros_input(s->graph, &type, NULL);
    return s->in[s->ins++];
}
static scene scene_open(void) {
    scene s = {0};
    run_state = 2024;
    ck_ok(saros_graph_make(&s.graph));
    return s;
}
static void scene_close(scene *s) {
    for (int k = 0; k < s->given; ++k) saros_tensor_release(s->at[k]);
    saros_graph_release(s->graph);
}
static saros_value constant_of(scene *s, int rank, const int64_t *shape, const double *data) {
    saros_tensor *t = run_from(rank, shape, data);
    saros_value v = saros_constant(s->graph, t);
    saros_tensor_release(t);
    return v;
}
static saros_value index_of(scene *s, int rank, const int64_t *shape, const int64_t *data) {
    saros_tensor *t = NULL;
    ck_ok(saros_tensor_from(SAROS_I64, rank, shape, data, &t));
    saros_value v = saros_constant(s->graph, t);
    saros_tensor_release(t);
    return v;
}

/** Objective and gradient of a scalar against the plain form. */
static void check_scalar(scene *s, saros_value y, number (*plain)(const number *x)) {
    saros_value g[4];
    saros_vjp(1, &y, NULL, s->ins, s->in, g);
    ck_ok(saros_graph_status(s->graph));
    number x[MOST];
    int64_t n = 0;
    for (int k = 0; k < s->ins; ++k) n += s->size[k];
    for (int64_t i = 0; i < n; ++i) x[i] = s->x[i];
    ck_near(run_scalar(s->ins, s->in, s->at, y), creal(plain(x)), 1e-13);
    int64_t i = 0;
    for (int k = 0; k < s->ins; ++k) {
        double *got = run_one(s->ins, s->in, s->at, g[k]);
        for (int64_t j = 0; j < s->size[k]; ++j, ++i) {
            x[i] += I * step;
            double want = cimag(plain(x)) / step;
            x[i] = s->x[i];
            ck_assert_msg(fabs(got[j] - want) <= 1e-12 * fmax(1, fabs(want)),
                          "gradient %d[%d] is %.15g, wanted %.15g", k, (int)j, got[j], want);
        }
        saros_release(got);
    }
}

/* ---- Gaussian mixture ---- */

enum { POINTS = 7, DIM = 3, PARTS = 4, BELOW = DIM * (DIM - 1) / 2, WISHART = 2 };
static double point[POINTS][DIM];
static const double gamma_of_prior = 0.9;

/** Constant terms: of the density, and of the Wishart prior (its multivariate gamma function). */
static double gmm_constant(void) {
    const double pi = acos(-1);
    int n = DIM + WISHART + 1;
    double gamma = 0.25 * DIM * (DIM - 1) * log(pi);
    for (int j = 1; j <= DIM; ++j) gamma += lgamma(0.5 * n + 0.5 * (1 - j));
    double prior = n * DIM * (log(gamma_of_prior) - 0.5 * log(2)) - gamma;
    return -0.5 * POINTS * DIM * log(2 * pi) - PARTS * prior;
}

/** x: weights (PARTS), means (PARTS, DIM), logarithms of the diagonals (PARTS, DIM), entries below
 * them (PARTS, BELOW). */
static number gmm_plain(const number *x) {
    const number *alpha = x, *mean = x + PARTS, *q = mean + PARTS * DIM, *l = q + PARTS * DIM;
    number total = gmm_constant(), weights = 0;
    for (int k = 0; k < PARTS; ++k) weights += cexp(alpha[k]);
    total -= POINTS * clog(weights);
    for (int i = 0; i < POINTS; ++i) {
        number sum = 0;
        for (int k = 0; k < PARTS; ++k) {
            number exponent = alpha[k];
            for (int a = 0, e = 0; a < DIM; ++a) {
                number row = cexp(q[k * DIM + a]) * (point[i][a] - mean[k * DIM + a]);
                for (int b = 0; b < a; ++b)
                    row += l[k * BELOW + e++] * (point[i][b] - mean[k * DIM + b]);
                exponent += q[k * DIM + a] - 0.5 * row * row;
            }
            sum += cexp(exponent);
        }
        total += clog(sum);
    }
    for (int k = 0; k < PARTS; ++k) {
        number size = 0;
        for (int a = 0; a < DIM; ++a) {
            size += cexp(2 * q[k * DIM + a]);
            total -= WISHART * q[k * DIM + a];
        }
        for (int e = 0; e < BELOW; ++e) size += l[k * BELOW + e] * l[k * BELOW + e];
        total += 0.5 * gamma_of_prior * gamma_of_prior * size;
    }
    return total;
}

/** Lower factors (PARTS, DIM, DIM) from their diagonals and what stands below. */
static saros_value factors(scene *s, saros_value diagonal, saros_value below) {
    int64_t place[DIM * DIM], next = 0;
    double unit[DIM * DIM] = {0};
    for (int a = 0; a < DIM; ++a)
        for (int b = 0; b < DIM; ++b) place[a * DIM + b] = b < a ? next++ : BELOW;
    for (int a = 0; a < DIM; ++a) unit[a * DIM + a] = 1;
    saros_value padded = saros_pad(below, 1, 0, 1, 0, 0);
    saros_value lower = saros_gather(padded, index_of(s, 2, (int64_t[]){DIM, DIM}, place), 1);
    saros_value column = saros_reshape(diagonal, 3, (int64_t[]){PARTS, DIM, 1});
    return saros_add(lower, saros_mul(column, constant_of(s, 2, (int64_t[]){DIM, DIM}, unit)));
}

static saros_value gmm_build(scene *s) {
    saros_value alpha = scene_input(s, 1, (int64_t[]){PARTS}, -1, 1);
    saros_value mean = scene_input(s, 2, (int64_t[]){PARTS, DIM}, -1, 1);
    saros_value q = scene_input(s, 2, (int64_t[]){PARTS, DIM}, -0.5, 0.5);
    saros_value l = scene_input(s, 2, (int64_t[]){PARTS, BELOW}, -1, 1);
    for (int i = 0; i < POINTS; ++i)
        for (int a = 0; a < DIM; ++a) point[i][a] = run_random(-1, 1);
    saros_value x = constant_of(s, 3, (int64_t[]){POINTS, 1, DIM}, point[0]);
    saros_value scale = saros_exp(q), apart = saros_sub(x, mean); /* (POINTS, PARTS, DIM) */
    saros_value moved = saros_dot_general(factors(s, scale, l), apart, 1, (int[]){2}, (int[]){2}, 1,
                                          (int[]){0}, (int[]){1}); /* (PARTS, DIM, POINTS) */
    saros_value half = saros_mul(saros_like(x, 0.5), saros_sum(saros_mul(moved, moved), 2));
    saros_value own = saros_add(alpha, saros_sum(q, 2));
    saros_value exponent = saros_sub(saros_reshape(own, 2, (int64_t[]){PARTS, 1}), half);
    saros_value y = saros_sum(saros_logsumexp(exponent, 1), 1);
    y = saros_sub(y, saros_mul(saros_like(y, POINTS), saros_logsumexp(alpha, 1)));
    saros_value size =
        saros_add(saros_sum(saros_mul(scale, scale), 3), saros_sum(saros_mul(l, l), 3));
    double g = gamma_of_prior;
    y = saros_add(y, saros_mul(saros_like(y, 0.5 * g * g), size));
    y = saros_sub(y, saros_mul(saros_like(y, WISHART), saros_sum(q, 3)));
    return saros_add(y, saros_like(y, gmm_constant()));
}

START_TEST(gaussian_mixture) {
    scene s = scene_open();
    saros_value y = gmm_build(&s);
    check_scalar(&s, y, gmm_plain);
    scene_close(&s);
}
END_TEST

/* ---- bundle adjustment ---- */

enum { CAMERAS = 2, MARKS = 3, SEEN = 6, CAMERA = 11 };
static const int64_t camera_of[SEEN] = {0, 0, 0, 1, 1, 1}, mark_of[SEEN] = {0, 1, 2, 0, 1, 2};
static double feature[SEEN][2];
enum { BA_INS = CAMERAS * CAMERA + MARKS * 3 + SEEN, BA_OUTS = 3 * SEEN };

/** Rotation r, centre, focal length, principal point, two radial distortions. */
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
static void ba_plain(const number *x, number *out) {
    const number *mark = x + CAMERAS * CAMERA, *weight = mark + MARKS * 3;
    for (int p = 0; p < SEEN; ++p) {
        number seen[2];
        project_plain(x + camera_of[p] * CAMERA, mark + mark_of[p] * 3, seen);
        for (int a = 0; a < 2; ++a) out[2 * p + a] = weight[p] * (seen[a] - feature[p][a]);
        out[2 * SEEN + p] = 1 - weight[p] * weight[p];
    }
}

/** Columns first … last-1. */
static saros_value columns(saros_value v, int64_t first, int64_t last) {
    return saros_slice(v, 1, first, last, 1);
}
static saros_value project(saros_value c, saros_value at) {
    saros_value r = columns(c, 0, 3), x = saros_sub(at, columns(c, 3, 6)), part[3];
    saros_value square = saros_reshape(saros_sum(saros_mul(r, r), 2), 2, (int64_t[]){SEEN, 1});
    saros_value angle = saros_sqrt(square), w = saros_div(r, angle);
    for (int a = 0; a < 3; ++a) {
        int b = (a + 1) % 3, d = (a + 2) % 3;
        part[a] = saros_sub(saros_mul(columns(w, b, b + 1), columns(x, d, d + 1)),
                            saros_mul(columns(w, d, d + 1), columns(x, b, b + 1)));
    }
    saros_value cosine = saros_cos(angle), one = saros_like(angle, 1);
    saros_value dot = saros_reshape(saros_sum(saros_mul(w, x), 2), 2, (int64_t[]){SEEN, 1});
    saros_value along = saros_mul(saros_mul(w, dot), saros_sub(one, cosine));
    saros_value turned = saros_add(saros_mul(saros_concat(3, part, 1), saros_sin(angle)), along);
    saros_value y = saros_add(saros_mul(x, cosine), turned);
    saros_value flat = saros_div(columns(y, 0, 2), columns(y, 2, 3));
    saros_value far = saros_reshape(saros_sum(saros_mul(flat, flat), 2), 2, (int64_t[]){SEEN, 1});
    saros_value bend = saros_add(columns(c, 9, 10), saros_mul(columns(c, 10, 11), far));
    bend = saros_add(one, saros_mul(far, bend));
    return saros_add(saros_mul(saros_mul(flat, bend), columns(c, 6, 7)), columns(c, 7, 9));
}

START_TEST(bundle_adjustment) {
    scene s = scene_open();
    saros_value camera = scene_input(&s, 2, (int64_t[]){CAMERAS, CAMERA}, 0.2, 0.9);
    saros_value mark = scene_input(&s, 2, (int64_t[]){MARKS, 3}, 2, 4);
    saros_value weight = scene_input(&s, 1, (int64_t[]){SEEN}, 0.3, 1);
    for (int p = 0; p < SEEN; ++p)
        for (int a = 0; a < 2; ++a) feature[p][a] = run_random(-1, 1);
    saros_value c = saros_gather(camera, index_of(&s, 1, (int64_t[]){SEEN}, camera_of), 0);
    saros_value m = saros_gather(mark, index_of(&s, 1, (int64_t[]){SEEN}, mark_of), 0);
    saros_value off =
        saros_sub(project(c, m), constant_of(&s, 2, (int64_t[]){SEEN, 2}, feature[0]));
    saros_value w = saros_reshape(weight, 2, (int64_t[]){SEEN, 1});
    saros_value one = saros_like(weight, 1), y[2] = {saros_mul(w, off)};
    y[1] = saros_sub(one, saros_mul(weight, weight));
    saros_value both[2] = {saros_reshape(y[0], 1, (int64_t[]){2 * SEEN}), y[1]};
    saros_value out = saros_concat(2, both, 0), v[3], jv, g[3], flat[3];
    for (int k = 0; k < 3; ++k) {
        saros_type type = *saros_value_type(s.in[k]);
        s.all[s.given] = v[k] = saros_input(s.graph, &type, "v");
        ck_ok(saros_tensor_zeros(SAROS_F64, type.rank, type.shape, &s.at[s.given++]));
    }
    saros_type type = *saros_value_type(out);
    saros_value u = s.all[s.given] = saros_input(s.graph, &type, "u");
    ck_ok(saros_tensor_zeros(SAROS_F64, 1, type.shape, &s.at[s.given++]));
    saros_jvp(1, &out, 3, s.in, v, &jv);
    saros_vjp(1, &out, &u, 3, s.in, g);
    for (int k = 0; k < 3; ++k) flat[k] = saros_reshape(g[k], 1, &s.size[k]);
    saros_value row = saros_concat(3, flat, 0);
    double jacobian[BA_OUTS][BA_INS];
    number x[BA_INS], moved[BA_OUTS];
    for (int i = 0; i < BA_INS; ++i) x[i] = s.x[i];
    for (int i = 0; i < BA_INS; ++i) {
        x[i] += I * step;
        ba_plain(x, moved);
        x[i] = s.x[i];
        for (int o = 0; o < BA_OUTS; ++o) jacobian[o][i] = cimag(moved[o]) / step;
    }
    for (int k = 0, i = 0; k < 3; ++k) {
        double *unit = saros_tensor_data(s.at[3 + k]);
        for (int64_t j = 0; j < s.size[k]; ++j, ++i) {
            unit[j] = 1;
            double *column = run_one(s.given, s.all, s.at, jv);
            unit[j] = 0;
            for (int o = 0; o < BA_OUTS; ++o) ck_near(column[o], jacobian[o][i], 1e-11);
            saros_release(column);
        }
    }
    double *unit = saros_tensor_data(s.at[6]), *value = run_one(s.given, s.all, s.at, out);
    for (int o = 0; o < BA_OUTS; ++o) {
        ck_near(value[o], creal(moved[o]), 1e-12);
        unit[o] = 1;
        double *gradient = run_one(s.given, s.all, s.at, row);
        unit[o] = 0;
        for (int i = 0; i < BA_INS; ++i) ck_near(gradient[i], jacobian[o][i], 1e-11);
        saros_release(gradient);
    }
    saros_release(value);
    scene_close(&s);
}
END_TEST

/* ---- LSTM ---- */

enum { LAYERS = 2, WIDTH = 5, LENGTH = 6 };
static double sequence[LENGTH][WIDTH], state[2 * LAYERS][WIDTH];

static number sigmoid(number x) {
    return 1 / (1 + cexp(-x));
}
/** x: weights and biases of each layer (2 LAYERS, 4 WIDTH), then (3, WIDTH) around them. */
static number lstm_plain(const number *x) {
    const number *extra = x + 2 * LAYERS * 4 * WIDTH;
    number s[2 * LAYERS][WIDTH], total = 0;
    for (int k = 0; k < 2 * LAYERS; ++k)
        for (int j = 0; j < WIDTH; ++j) s[k][j] = state[k][j];
    for (int t = 0; t + 1 < LENGTH; ++t) {
        number y[WIDTH], sum = 2;
        for (int j = 0; j < WIDTH; ++j) {
            number in = sequence[t][j] * extra[j];
            for (int k = 0; k < LAYERS; ++k) {
                const number *w = x + (2 * k) * 4 * WIDTH + j, *b = w + 4 * WIDTH;
                number *hidden = &s[2 * k][j], *cell = &s[2 * k + 1][j];
                number forget = sigmoid(in * w[0] + b[0]);
                number gate = sigmoid(*hidden * w[WIDTH] + b[WIDTH]);
                number out = sigmoid(in * w[2 * WIDTH] + b[2 * WIDTH]);
                number change = ctanh(*hidden * w[3 * WIDTH] + b[3 * WIDTH]);
                *cell = *cell * forget + gate * change;
                in = *hidden = out * ctanh(*cell);
            }
            y[j] = in * extra[WIDTH + j] + extra[2 * WIDTH + j];
            sum += cexp(y[j]);
        }
        for (int j = 0; j < WIDTH; ++j) total += sequence[t + 1][j] * (y[j] - clog(sum));
    }
    return -total / ((LENGTH - 1) * WIDTH);
}

static saros_value row_at(saros_value v, int64_t row) {
    return saros_reshape(saros_slice(v, 0, row, row + 1, 1), 1, &saros_value_type(v)->shape[1]);
}
static saros_value quarter(saros_value v, int64_t k) {
    return saros_slice(v, 0, k * WIDTH, (k + 1) * WIDTH, 1);
}
static saros_status lstm_step(saros_graph *body, saros_value index, const saros_value *carry,
                              const saros_value *input, void *user, saros_value *next,
                              saros_value *kept) {
    const saros_value *x = user;
    (void)body;
    (void)index;
    (void)kept;
    saros_value in = saros_mul(input[0], row_at(x[1], 0)), rows[2 * LAYERS];
    for (int64_t k = 0; k < LAYERS; ++k) {
        saros_value w = row_at(x[0], 2 * k), b = row_at(x[0], 2 * k + 1), z[4];
        saros_value hidden = row_at(carry[0], 2 * k), cell = row_at(carry[0], 2 * k + 1);
        for (int64_t m = 0; m < 4; ++m)
            z[m] = saros_add(saros_mul(m % 2 ? hidden : in, quarter(w, m)), quarter(b, m));
        saros_value grown = saros_mul(saros_sigmoid(z[1]), saros_tanh(z[3]));
        cell = saros_add(saros_mul(cell, saros_sigmoid(z[0])), grown);
        in = saros_mul(saros_sigmoid(z[2]), saros_tanh(cell));
        rows[2 * k] = in;
        rows[2 * k + 1] = cell;
    }
    next[0] = saros_stack(2 * LAYERS, rows, 0);
    saros_value y = saros_add(saros_mul(in, row_at(x[1], 1)), row_at(x[1], 2));
    saros_value all = saros_add(saros_sum(saros_exp(y), 1), saros_like(y, 2));
    saros_value p = saros_mul(input[1], saros_sub(y, saros_log(all)));
    next[1] = saros_add(carry[1], saros_sum(p, 1));
    return SAROS_OK;
}

START_TEST(lstm) {
    for (int64_t states = 0; states <= 2; states += 2) {
        scene s = scene_open();
        saros_value x[2] = {scene_input(&s, 2, (int64_t[]){2 * LAYERS, 4 * WIDTH}, -1, 1),
                            scene_input(&s, 2, (int64_t[]){3, WIDTH}, -1, 1)};
        for (int t = 0; t < LENGTH; ++t)
            for (int j = 0; j < WIDTH; ++j) sequence[t][j] = run_random(0, 1);
        for (int k = 0; k < 2 * LAYERS; ++k)
            for (int j = 0; j < WIDTH; ++j) state[k][j] = run_random(-1, 1);
        const int64_t steps[2] = {LENGTH - 1, WIDTH}, rows[2] = {2 * LAYERS, WIDTH};
        saros_value input[2] = {constant_of(&s, 2, steps, sequence[0]),
                                constant_of(&s, 2, steps, sequence[1])};
        saros_value carry[2] = {constant_of(&s, 2, rows, state[0]),
                                saros_scalar(s.graph, SAROS_F64, 0)};
        saros_value end[2];
        saros_loop(s.graph,
                   &(saros_loop_spec){.n = saros_scalar(s.graph, SAROS_I64, LENGTH - 1),
                                      .bound = LENGTH - 1,
                                      .carries = 2,
                                      .carry = carry,
                                      .inputs = 2,
                                      .input = input,
                                      .states = states,
                                      .build = lstm_step,
                                      .user = x},
                   end, NULL);
        saros_value scale = saros_like(end[1], -1.0 / ((LENGTH - 1) * WIDTH));
        check_scalar(&s, saros_mul(scale, end[1]), lstm_plain);
        scene_close(&s);
    }
}
END_TEST

SAROS_TEST_MAIN("autodiff/gradbench", gaussian_mixture, bundle_adjustment, lstm)
