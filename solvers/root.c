/** The implicit node: x with F(x, p) = 0 by a damped Newton method.
 *
 *      J(x) d = F(x),   x <- x - s d,   s = 1, 1/2, 1/4 … until |F| falls (Armijo, c = 1e-4;
 *  Dennis and Schnabel 1983, 6.3). J is assembled in its sparsity, entry by entry or by coloured
 *  products (sparse.h), and factorised; its factors serve further iterations while the
 * contraction of the last one would end the iteration in four more (a chord step costs a tenth of a
 * new Jacobian). By a Krylov method d is found to a tolerance of its own, with a matrix or without.
 *
 *  It ends when |F| <= max(rtol |F(guess)|, atol sqrt(n), 4 eps | |J| |x| |): the last is the
 * residual that rounding x alone would leave, below which nothing can be reached.
 *
 *  Does not search globally: a guess from which |F| cannot fall is an error.
 */
#include "root_impl.h"

#include <math.h>
#include <string.h>

#include "saros/memory.h"

/* ---- Newton ---- */

typedef struct newton {
    saros_root_setup *setup;
    const saros_function *residual;
    saros_function *const *derivative; /* product, values of the entries */
    int ins;                           /* x, p… */
    saros_tensor **at, **trial;        /* operands at x and at the trial point */
    saros_tensor *r;                   /* residual at the trial point */
    double *x, *y, *f, *step;
    saros_root_matrix *matrix;
    int64_t n;
    double first, norm; /* |F| at the guess and now */
    double rounding;    /* the residual that rounding x alone would leave */
    double ratio;       /* by which the last iteration lowered it; infinite without factors */
} newton;

static double norm_of(int64_t n, const double *v) {
    double largest = 0, sum = 0;
    for (int64_t i = 0; i < n; ++i) {
        double size = fabs(v[i]);
        if (!(size <= largest)) largest = size; /* takes NaN too */
    }
    if (largest == 0 || !isfinite(largest)) return largest;
    for (int64_t i = 0; i < n; ++i) sum += (v[i] / largest) * (v[i] / largest);
    return largest * sqrt(sum);
}

static saros_status newton_not_converged(const newton *s, int iterations, const char *why) {
    return saros_fail(SAROS_ERR_NOT_CONVERGED, s->setup->name,
                      "give a better guess or a smaller step, or loosen rtol",
                      "%s after %d iterations: residual %.3g, at the guess %.3g", why, iterations,
                      s->norm, s->first);
}

/* F at the trial point. */
static saros_status newton_residual(newton *s, double *norm) {
    saros_status status = saros_function_call(s->residual, s->trial, &s->r, NULL);
    if (status == SAROS_OK) *norm = norm_of(s->n, saros_tensor_const_data(s->r));
    return status;
}

/* Factorises J at x. */
static saros_status newton_factorise(newton *s, int iteration) {
    saros_status status = saros_root_matrix_take(s->matrix, s->derivative, s->ins, s->at);
    if (status == SAROS_ERR_DOMAIN)
        return newton_not_converged(s, iteration, "the Jacobian is singular");
    if (status)
        saros_error_frame("Jacobian of %s at iteration %d", s->setup->name, iteration);
    else
        s->rounding = saros_root_matrix_rounding(s->matrix, s->x);
    return status;
}

/* Moves x along the step until the residual falls; *moved tells whether it did. */
static saros_status newton_search(newton *s, double shortest, bool *moved) {
    const double *r = saros_tensor_const_data(s->r);
    memcpy(s->step, s->f, (size_t)s->n * sizeof *s->step);
    saros_krylov_call call = {.product = {s->derivative[0]}, .ins = s->ins, .in = s->at};
    saros_status status = saros_root_matrix_solve(s->matrix, call, 1, s->step);
    if (status) saros_error_frame("step of %s by Newton's method", s->setup->name);
    *moved = false;
    for (double length = 1; length >= shortest && status == SAROS_OK; length /= 2) {
        double norm = 0;
        for (int64_t i = 0; i < s->n; ++i) s->y[i] = s->x[i] - length * s->step[i];
        status = newton_residual(s, &norm);
        bool outside = status == SAROS_RETRY || status == SAROS_ERR_NAN;
        if (outside) status = SAROS_OK;
        if (status || outside) continue;
        if (!(norm <= (1 - 1e-4 * length) * s->norm) && !(norm <= s->rounding)) continue;
        memcpy(s->x, s->y, (size_t)s->n * sizeof *s->x);
        memcpy(s->f, r, (size_t)s->n * sizeof *s->f);
        s->norm = norm;
        *moved = true;
        break;
    }
    return status;
}

/* One iteration: with the factors at hand while they promise to do, else with new ones. */
static saros_status newton_step(newton *s, int iteration, double enough) {
    double before = s->norm;
    bool moved = false;
    saros_status status = SAROS_OK;
    if (s->norm * s->ratio * s->ratio * s->ratio * s->ratio <= enough)
        SAROS_TRY(newton_search(s, 1, &moved));
    if (!moved) {
        SAROS_TRY(newton_factorise(s, iteration));
        SAROS_TRY(newton_search(s, 1e-8, &moved));
    }
    if (!moved) return newton_not_converged(s, iteration, "no step lowers the residual");
    s->ratio = s->norm / before;
done:
    return status;
}

static saros_status newton_run(newton *s, double rtol, double atol, int64_t iterations) {
    saros_status status = SAROS_OK;
    SAROS_TRY(newton_residual(s, &s->norm));
    if (!isfinite(s->norm)) {
        status = saros_fail(SAROS_ERR_NAN, s->setup->name, "give a guess inside the domain of F",
                            "the residual at the guess is not finite");
        goto done;
    }
    memcpy(s->f, saros_tensor_const_data(s->r), (size_t)s->n * sizeof *s->f);
    s->first = s->norm;
    s->ratio = INFINITY;
    double enough = fmax(rtol * s->first, atol * sqrt((double)s->n));
    for (int k = 0; s->norm > enough; ++k) {
        if (k > 0) enough = fmax(enough, s->rounding);
        if (s->norm <= enough) break;
        if (k >= iterations) {
            status = newton_not_converged(s, k, "did not converge");
            goto done;
        }
        SAROS_TRY(newton_step(s, k, enough));
    }
done:
    return status;
}

/* ---- the row ---- */

static saros_status root_type(saros_typing *t) {
    const saros_type *x = &t->operand[0];
    if (x->dtype != SAROS_F64 || x->rank != 1)
        return saros_fail(SAROS_ERR_TYPE, "root", "reshape the unknowns to one axis",
                          "the guess must be f64 of rank 1");
    t->output[0] = *x;
    return SAROS_OK;
}

/* Allocates what Newton works in; the operands in[1 …] are shared by both argument lists. */
static saros_status newton_open(newton *s, const saros_evaluation *e) {
    saros_status status = SAROS_OK;
    s->n = saros_tensor_count(e->in[0]);
    s->ins = e->ins;
    s->residual = e->body[0];
    s->derivative = e->body + 1;
    s->f = saros_allocate((size_t)(2 * s->n) * sizeof *s->f);
    s->at = saros_allocate_zero((size_t)e->ins * 2, sizeof(saros_tensor *));
    if (!s->f || !s->at) return SAROS_ERR_MEMORY;
    s->step = s->f + s->n;
    s->trial = s->at + e->ins;
    for (int k = 1; k < e->ins; ++k) s->at[k] = s->trial[k] = e->in[k];
    SAROS_TRY(saros_tensor_make(SAROS_F64, 1, &s->n, &s->trial[0]));
    SAROS_TRY(saros_tensor_make(SAROS_F64, 1, &s->n, &s->r));
    SAROS_TRY(saros_root_matrix_make(s->setup, s->n, &s->matrix));
    s->at[0] = e->out[0];
    s->x = saros_tensor_data(e->out[0]);
    s->y = saros_tensor_data(s->trial[0]);
done:
    return status;
}

static void newton_close(newton *s) {
    if (s->trial) saros_tensor_release(s->trial[0]);
    saros_tensor_release(s->r);
    saros_root_matrix_release(s->matrix);
    saros_release(s->f);
    saros_release(s->at);
}

static saros_status root_evaluate(const saros_evaluation *e) {
    const int64_t *word = e->attributes->word;
    newton s = {.setup = saros_root_setup_of(e->attributes)};
    saros_status status = SAROS_OK;
    SAROS_TRY(newton_open(&s, e));
    SAROS_TRY(saros_tensor_assign(e->out[0], e->in[0]));
    memcpy(s.y, s.x, (size_t)s.n * sizeof *s.y);
    SAROS_TRY(newton_run(&s, saros_from_bits(word[ROOT_RTOL]), saros_from_bits(word[ROOT_ATOL]),
                         word[ROOT_ITERATIONS]));
done:
    newton_close(&s);
    return status;
}

const saros_primitive saros_row_root = {
    .name = "root",
    .doc =
        "x with F(x, p) = 0 near a guess, by Newton's method; derivatives by the implicit function "
        "theorem",
    .operands = -2,
    .outputs = 1,
    .flags = SAROS_REGION | SAROS_COSTLY,
    .type = root_type,
    .evaluate = root_evaluate,
    .jvp = saros_root_jvp,
    .vjp = saros_root_vjp,
    .batch = saros_root_batch,
};

/* ---- building ---- */

saros_status saros_root_trace(saros_value guess, saros_residual_fn residual, void *user,
                              saros_body **body, saros_value **capture) {
    saros_type type = *saros_value_type(guess), got;
    saros_value f = SAROS_NONE;
    if (type.dtype != SAROS_F64 || type.rank != 1)
        return saros_fail(SAROS_ERR_TYPE, "saros_root", "reshape the unknowns to one axis",
                          "the guess must be f64 of rank 1");
    saros_graph *inner = saros_body_open(guess.graph);
    if (!inner) return SAROS_ERR_MEMORY;
    saros_status status = residual(inner, saros_input(inner, &type, "x"), user, &f);
    if (status == SAROS_OK) status = saros_graph_status(inner);
    if (status == SAROS_OK) {
        got = *saros_value_type(f);
        if (!saros_type_equal(&got, &type)) {
            char a[96], b[96];
            status =
                saros_fail(SAROS_ERR_SHAPE, "saros_root", "give one equation per unknown",
                           "the residual is %s, the unknowns are %s",
                           saros_type_text(&got, a, sizeof a), saros_type_text(&type, b, sizeof b));
        }
    }
    if (status) {
        saros_graph_release(inner);
        return status;
    }
    return saros_body_close(inner, 1, &f, body, capture);
}

static void root_words(const saros_root_options *options, int64_t *word) {
    double rtol = options ? options->rtol : 0, atol = options ? options->atol : 0;
    int iterations = options ? options->max_iterations : 0;
    word[ROOT_RTOL] = saros_bits(rtol > 0 ? rtol : 1e-10);
    word[ROOT_ATOL] = saros_bits(atol > 0 ? atol : 1e-14);
    word[ROOT_ITERATIONS] = iterations > 0 ? iterations : 50;
}

saros_value saros_root(saros_value guess, saros_residual_fn residual, void *user,
                       const saros_root_options *options) {
    if (saros_is_poisoned(guess)) return guess;
    saros_status status = SAROS_OK;
    saros_body *body[3] = {NULL, NULL, NULL};
    saros_value *capture = NULL, *operand = NULL, x = SAROS_NONE;
    saros_tensor *setup = NULL;
    int64_t word[ROOT_WORDS];
    SAROS_TRY(saros_root_trace(guess, residual, user, &body[0], &capture));
    SAROS_TRY(saros_body_product(guess.graph, body[0], &body[1]));
    SAROS_TRY(saros_root_setup_for(guess.graph, body[0], options, &setup));
    body[2] = saros_root_setup_of(&(saros_attributes){.tensor = setup})->entries;
    int captures = saros_body_captures(body[0]);
    operand = saros_values_make(captures + 1);
    if (!operand) SAROS_TRY(SAROS_ERR_MEMORY);
    operand[0] = guess;
    for (int k = 0; k < captures; ++k) operand[k + 1] = capture[k];
    root_words(options, word);
    saros_attributes attributes = {.word = word,
                                   .words = ROOT_WORDS,
                                   .body = body,
                                   .bodies = body[2] ? 3 : 2,
                                   .tensor = setup};
    x = saros_build(guess.graph, &saros_row_root, &attributes, captures + 1, operand);
done:
    saros_release(capture);
    saros_release(operand);
    saros_body_release(body[0]);
    saros_body_release(body[1]);
    saros_tensor_release(setup);
    return status ? saros_poison(guess.graph) : x;
}
