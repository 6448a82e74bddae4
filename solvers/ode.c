/** saros_march: steps between output times, as two nested loops of the graph.
 *
 *  Interval j from t_j to t_{j+1} is cut into m_j equal steps h_j = (t_{j+1} - t_j)/m_j; step i
 * starts at t_j + i h_j. A sequence h_ji given instead is a replay of steps chosen elsewhere: step
 * i starts at t_j + sum_{k<i} h_jk; where an output time moves, the steps of its intervals move in
 * proportion. The outer loop runs
 * over intervals and keeps what is observed; reverse mode keeps the state at each output time and
 * runs one interval's steps again to have those between (a single interval has no outer loop, and
 * is not run again). Stages of implicit steps are kept with the states, so that no reverse sweep
 * that holds all states looks for a root: it factorises at the stage and solves with the
 * transpose.
 */
#include "saros/ode.h"

#include "root_impl.h"
#include "saros/memory.h"
#include "saros/ops.h"
#include "saros/region.h"

typedef struct march {
    const saros_march_spec *spec;
    const saros_root_options *root;
    saros_value t, h; /* start and step of the interval, in the outer body */
    bool replay;      /* steps and their starts are inputs */
} march;

static saros_status march_step(saros_graph *body, saros_value index, const saros_value *carry,
                               const saros_value *input, void *user, saros_value *next,
                               saros_value *kept) {
    (void)kept;
    const march *m = user;
    saros_value i = saros_cast(index, SAROS_F64);
    saros_step step = {.graph = body,
                       .t = saros_add(m->t, m->replay ? input[1] : saros_mul(i, m->h)),
                       .h = m->replay ? input[0] : m->h,
                       .y = carry[0],
                       .rate = m->spec->rate,
                       .explicit_rate = m->spec->explicit_rate,
                       .user = m->spec->user,
                       .root = m->root};
    next[0] = m->spec->integrator->step(&step);
    return SAROS_OK;
}

/* inputs: start, end and number of steps of the interval; replayed: steps, offsets of their starts
 */
static saros_status march_interval(saros_graph *body, saros_value index, const saros_value *carry,
                                   const saros_value *input, void *user, saros_value *next,
                                   saros_value *kept) {
    (void)index;
    march m = *(const march *)user;
    const saros_march_spec *spec = m.spec;
    m.t = input[0];
    m.h = saros_div(saros_sub(input[1], input[0]), saros_cast(input[2], SAROS_F64));
    /* a count below 1 becomes one that the loop refuses: it would leave the state where it was */
    saros_value counted = saros_ge(input[2], saros_like(input[2], 1));
    saros_loop(body,
               &(saros_loop_spec){.n = saros_where(counted, input[2], saros_like(input[2], -1)),
                                  .bound = spec->bound,
                                  .states = spec->states,
                                  .carries = 1,
                                  .carry = carry,
                                  .inputs = m.replay ? 2 : 0,
                                  .input = input + 3,
                                  .build = march_step,
                                  .user = &m},
               next, NULL);
    if (!spec->observe) {
        kept[0] = next[0];
        return SAROS_OK;
    }
    return spec->observe(body, input[1], next[0], spec->user, kept);
}

static saros_status march_check(const saros_march_spec *spec) {
    static const char *const where = "saros_march";
    const saros_type times = *saros_value_type(spec->times), steps = *saros_value_type(spec->steps);
    const saros_type *y = saros_value_type(spec->y0);
    if (y->dtype != SAROS_F64 || y->rank != 1)
        return saros_fail(SAROS_ERR_TYPE, where, NULL, "y0 must be f64 of rank 1");
    if (times.dtype != SAROS_F64 || times.rank != 1 || steps.dtype != SAROS_I64 || steps.rank != 1)
        return saros_fail(SAROS_ERR_TYPE, where, NULL,
                          "times must be f64 and steps i64, both of rank 1");
    if (times.shape[0] != steps.shape[0] + 1)
        return saros_fail(SAROS_ERR_SHAPE, where, "one number of steps per interval",
                          "%lld times and %lld numbers of steps, wanted one time more",
                          (long long)times.shape[0], (long long)steps.shape[0]);
    if (!saros_is_none(spec->h)) {
        const saros_type *h = saros_value_type(spec->h);
        if (h->dtype != SAROS_F64 || h->rank != 2 || h->shape[0] != steps.shape[0] ||
            h->shape[1] != spec->bound)
            return saros_fail(SAROS_ERR_SHAPE, where, NULL,
                              "h must be f64 of shape (intervals, bound) = (%lld, %lld)",
                              (long long)steps.shape[0], (long long)spec->bound);
    }
    if (spec->bound < 1)
        return saros_fail(SAROS_ERR_USAGE, where, NULL, "bound is %lld, wanted at least 1",
                          (long long)spec->bound);
    return SAROS_OK;
}

/* The options with the diagonal in the sparsity: a stage is y - c h f(y). */
static saros_status root_options(const saros_march_spec *spec, saros_root_options *options,
                                 saros_sparsity **owned) {
    *options = spec->root ? *spec->root : (saros_root_options){0};
    if (!options->name) options->name = spec->integrator->name;
    if (!options->sparsity) return SAROS_OK;
    saros_status status = saros_sparsity_with_diagonal(options->sparsity, owned);
    options->sparsity = *owned;
    return status;
}

void saros_march_step(saros_graph *graph, const saros_march_spec *spec, saros_value t,
                      saros_value h, saros_value *next, saros_value *error) {
    saros_sparsity *owned = NULL;
    saros_root_options options;
    saros_value estimate = SAROS_NONE;
    saros_status status = root_options(spec, &options, &owned);
    if (status == SAROS_OK && error && !spec->integrator->estimate)
        status = saros_fail(
            SAROS_ERR_USAGE, "saros_march_step", "fixed steps, or dopri5, sdirk, rodas4 …",
            "integrator %s has no error estimate to choose steps by", spec->integrator->name);
    saros_step step = {.graph = graph,
                       .t = t,
                       .h = h,
                       .y = spec->y0,
                       .rate = spec->rate,
                       .explicit_rate = spec->explicit_rate,
                       .user = spec->user,
                       .root = &options,
                       .error = error ? &estimate : NULL};
    *next = status ? saros_poison(graph) : spec->integrator->step(&step);
    if (error) *error = status ? saros_poison(graph) : estimate;
    saros_sparsity_release(owned);
}

/* Steps that were chosen elsewhere, as parts of their intervals, which output times may move: their
 * proportions stay. An interval whose steps are all 0 is one step. */
static saros_value scaled_steps(const saros_march_spec *spec, saros_value start, saros_value end) {
    const saros_type row = *saros_value_type(start), all = *saros_value_type(spec->h);
    const saros_value total = saros_sum(spec->h, 1 << 1),
                      none = saros_splat(spec->h.graph, &row, 0);
    const saros_value some = saros_gt(total, none);
    const saros_value length = saros_sub(end, start);
    const int64_t column[2] = {row.shape[0], 1};
    const int axis[1] = {0};
    saros_value scale =
        saros_where(some, saros_div(length, saros_where(some, total, saros_like(total, 1))), none);
    saros_value only = saros_reshape(saros_where(some, none, length), 2, column);
    return saros_add(saros_mul(spec->h, saros_broadcast(scale, 2, all.shape, axis)),
                     saros_pad(only, 1, 0, spec->bound - 1, 0, 0));
}

/* A single interval needs no loop around it, and its reverse sweep no second run. */
static saros_status march_once(saros_graph *graph, march *m, const saros_value *input, int keeps,
                               saros_value *final, saros_value *stacked) {
    saros_value only[5] = {SAROS_NONE};
    for (int k = 0; k < (m->replay ? 5 : 3); ++k)
        only[k] = saros_reshape(input[k], k > 2, &m->spec->bound);
    saros_status status = march_interval(graph, SAROS_NONE, &m->spec->y0, only, m, final, stacked);
    for (int k = 0; k < keeps && status == SAROS_OK; ++k)
        stacked[k] = saros_stack(1, &stacked[k], 0);
    return status;
}

static void march_intervals(saros_graph *graph, march *m, int64_t count, const saros_value *input,
                            int keeps, saros_value *final, saros_value *stacked) {
    saros_loop(graph,
               &(saros_loop_spec){.n = saros_scalar(graph, SAROS_I64, (double)count),
                                  .bound = count,
                                  .carries = 1,
                                  .carry = &m->spec->y0,
                                  .inputs = m->replay ? 5 : 3,
                                  .input = input,
                                  .kept = keeps,
                                  .build = march_interval,
                                  .user = m},
               final, stacked);
}

void saros_march(saros_graph *graph, const saros_march_spec *spec, saros_value *final,
                 saros_value *kept) {
    int keeps = spec->observe ? spec->observed : 1;
    saros_status status = SAROS_OK;
    saros_sparsity *owned = NULL;
    saros_root_options options;
    saros_value *stacked = NULL;
    SAROS_TRY(saros_graph_status(graph));
    SAROS_TRY(march_check(spec));
    SAROS_TRY(root_options(spec, &options, &owned));
    stacked = saros_values_make(keeps);
    if (!stacked) SAROS_TRY(SAROS_ERR_MEMORY);
    int64_t m = saros_value_type(spec->steps)->shape[0];
    march context = {.spec = spec, .root = &options, .replay = !saros_is_none(spec->h)};
    saros_value input[5] = {saros_slice(spec->times, 0, 0, m, 1),
                            saros_slice(spec->times, 0, 1, m + 1, 1), spec->steps};
    if (context.replay) {
        input[3] = scaled_steps(spec, input[0], input[1]);
        input[4] = saros_sub(saros_cumsum(input[3], 1, false), input[3]);
    }
    if (m == 1)
        SAROS_TRY(march_once(graph, &context, input, keeps, final, stacked));
    else
        march_intervals(graph, &context, m, input, keeps, final, stacked);
    for (int k = 0; kept && k < keeps; ++k) kept[k] = stacked[k];
done:
    saros_sparsity_release(owned);
    saros_release(stacked);
    if (!status) return;
    *final = saros_poison(graph);
    for (int k = 0; kept && k < keeps; ++k) kept[k] = *final;
}
