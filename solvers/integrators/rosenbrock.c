/** Rosenbrock methods: a Jacobian and its factors a step, no iteration (Hairer and Wanner 1996,
 * IV.7). With J = f_y and f_t at (t, y), stages in the form without products with J (eq. 7.25):
 *
 *      (I - g h J) u_i = g (h f(t + alpha_i h, y + sum a_ij u_j) + sum c_ij u_j + gamma_i h^2 f_t)
 *      y' = y + sum m_i u_i
 *
 *  rodas3 (Sandu and others 1997, order 3 with 2) and rodas4 (Hairer and Wanner, VI.4, order 4 with
 * 3), both L-stable and stiffly accurate; the error estimate is the last stage. The order holds for
 * the exact J, which the compiled product gives. Stages see the whole rate, split or not.
 */
#include "integrators_impl.h"

enum { MOST = 6 };

typedef struct method {
    int stages;
    double g, a[MOST][MOST], c[MOST][MOST], m[MOST], alpha[MOST], gamma[MOST];
} method;

static const method rodas3 = {
    .stages = 4,
    .g = 0.5,
    .a = {{0}, {0}, {2, 0}, {2, 0, 1}},
    .c = {{0}, {4}, {1, -1}, {1, -1, -8. / 3}},
    .m = {2, 0, 1, 1},
    .alpha = {0, 0, 1, 1},
    .gamma = {0.5, 1.5, 0, 0},
};

static const method rodas4 = {
    .stages = 6,
    .g = 0.25,
    .a = {{0},
          {1.544},
          {0.9466785280815826, 0.2557011698983284},
          {3.314825187068521, 2.896124015972201, 0.9986419139977817},
          {1.221224509226641, 6.019134481288629, 12.53708332932087, -0.6878860361058950},
          {1.221224509226641, 6.019134481288629, 12.53708332932087, -0.6878860361058950, 1}},
    .c = {{0},
          {-5.6688},
          {-2.430093356833875, -0.2063599157091915},
          {-0.1073529058151375, -9.594562251023355, -20.47028614809616},
          {7.496443313967647, -10.24680431464352, -33.99990352819905, 11.70890893206160},
          {8.083246795921522, -7.981132988064893, -31.52159432874371, 16.31930543123136,
           -6.058818238834054}},
    .m = {1.221224509226641, 6.019134481288629, 12.53708332932087, -0.6878860361058950, 1, 1},
    .alpha = {0, 0.386, 0.21, 0.63, 1, 1},
    .gamma = {0.25, -0.1043, 0.1035, -0.0362, 0, 0},
};

/* base + sum of w_j u_j; `base` may be SAROS_NONE */
static saros_value combine(saros_value base, int n, const double *w, const saros_value *u) {
    for (int j = 0; j < n; ++j) {
        if (w[j] == 0) continue;
        saros_value term = w[j] == 1 ? u[j] : saros_mul(saros_like(u[j], w[j]), u[j]);
        base = saros_is_none(base) ? term : saros_add(base, term);
    }
    return base;
}

/* f(t, y), and h^2 df/dt or SAROS_NONE if it does not hang on t. */
static saros_value first_rate(const saros_step *s, saros_value *drift) {
    saros_step from = *s;
    from.t = saros_alias(s->t);
    saros_value rate = saros_step_rate(&from, 0, s->y), one = saros_like(s->t, 1);
    saros_jvp(1, &rate, 1, &from.t, &one, drift);
    if (!saros_is_none(*drift)) *drift = saros_mul(saros_mul(s->h, s->h), *drift);
    return rate;
}

static saros_value step(const saros_step *s, const method *k) {
    saros_value u[MOST], drift, rate = first_rate(s, &drift);
    saros_step_matrix matrix;
    if (saros_step_matrix_open(s, k->g, &matrix)) return saros_poison(s->graph);
    for (int i = 0; i < k->stages; ++i) {
        if (i > 0 && (k->alpha[i] != 0 || k->a[i][0] != 0))
            rate = saros_step_rate(s, k->alpha[i], combine(s->y, i, k->a[i], u));
        saros_value right = combine(saros_mul(s->h, rate), i, k->c[i], u);
        if (!saros_is_none(drift)) right = combine(right, 1, &k->gamma[i], &drift);
        u[i] = saros_step_matrix_solve(s, &matrix, saros_mul(saros_like(right, k->g), right));
    }
    saros_step_matrix_close(&matrix);
    if (s->error) *s->error = u[k->stages - 1];
    return combine(s->y, k->stages, k->m, u);
}

static saros_value rodas3_step(const saros_step *s) {
    return step(s, &rodas3);
}
static saros_value rodas4_step(const saros_step *s) {
    return step(s, &rodas4);
}

const saros_integrator saros_integrator_rodas3 = {
    .name = "rodas3",
    .doc = "Rosenbrock method, order 3, L-stable, no iteration, adaptive",
    .order = 3,
    .estimate = 2,
    .implicit_ = true,
    .step = rodas3_step,
};

const saros_integrator saros_integrator_rodas4 = {
    .name = "rodas4",
    .doc = "Rosenbrock method, order 4, L-stable, no iteration, adaptive",
    .order = 4,
    .estimate = 3,
    .implicit_ = true,
    .step = rodas4_step,
};
