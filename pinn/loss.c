/** The loss and its gradient as one compiled function, called block by block.
 *
 *      L(w) = sum_terms weight sum_i q_i |r(x_i; w)|^2
 *
 *  The function holds ansatz, jets, residuals and the reverse sweep; weights, parameters and points
 * are its inputs. Points are cut into equal blocks (rows enough to fill vectors, few enough that
 * what one block computes stays in cache); the last one is filled with points of weight 0. Blocks
 * run on the pool and are added in their order, so the result does not depend on the threads.
 *  Trained parameters follow the weights in the vector as theta, p = p(theta) free: start + s
 * theta, one bound: min + (start - min) e^theta, two: a logistic curve between them.
 */
#include <math.h>
#include <string.h>

#include "objective_impl.h"
#include "saros/autodiff.h"
#include "saros/memory.h"
#include "saros/pool.h"

enum { BLOCK_ROWS = 256 };

/* ---- trained parameters ---- */
static bool has_bounds(const saros_trained *p) {
    return p->min < p->max;
}

double saros_trained_value(const saros_trained *p, double theta) {
    const bool below = has_bounds(p) && isfinite(p->min), above = has_bounds(p) && isfinite(p->max);
    if (below && above) {
        const double ratio = (p->max - p->start) / (p->start - p->min);
        return p->min + (p->max - p->min) / (1 + ratio * exp(-theta));
    }
    if (below) return p->min + (p->start - p->min) * exp(theta);
    if (above) return p->max - (p->max - p->start) * exp(theta);
    return p->start + (p->start != 0 ? fabs(p->start) : 1) * theta;
}

/** The same in the graph. */
static saros_value trained_value(const saros_trained *p, saros_value theta) {
    const bool below = has_bounds(p) && isfinite(p->min), above = has_bounds(p) && isfinite(p->max);
    const saros_value one = saros_like(theta, 1);
    if (below && above) {
        const double ratio = (p->max - p->start) / (p->start - p->min);
        const saros_value low =
            saros_add(one, saros_mul(saros_like(theta, ratio), saros_exp(saros_neg(theta))));
        return saros_add(saros_like(theta, p->min),
                         saros_div(saros_like(theta, p->max - p->min), low));
    }
    if (below || above) {
        const double edge = below ? p->min : p->max;
        return saros_add(saros_like(theta, edge),
                         saros_mul(saros_like(theta, p->start - edge), saros_exp(theta)));
    }
    const double scale = p->start != 0 ? fabs(p->start) : 1;
    return saros_add(saros_like(theta, p->start), saros_mul(saros_like(theta, scale), theta));
}

/* ---- graph ---- */
static int64_t block_rows(const saros_loss *loss, int term) {
    return (loss->terms->term[term].count + loss->blocks - 1) / loss->blocks;
}

static int columns_of(const saros_loss *loss, int term) {
    return loss->ansatz->coordinates + loss->terms->term[term].targets + 1;
}

static saros_value column(saros_value points, int64_t k) {
    const int64_t n = saros_value_type(points)->shape[0];
    return saros_reshape(saros_slice(points, 1, k, k + 1, 1), 1, &n);
}

/** Declares w, parameters and, from `first` on, points of `terms` terms. */
static void declare(const saros_loss *loss, saros_graph *graph, int terms, saros_value *in,
                    saros_value *parameter) {
    const int numbers = loss->ansatz->parameters;
    const saros_type w = saros_type_make(loss->ansatz->dtype, 1, &loss->n);
    const saros_type scalar = saros_type_scalar(SAROS_F64);
    in[0] = saros_input(graph, &w, "weights");
    for (int k = 0; k < numbers; ++k) parameter[k] = in[1 + k] = saros_input(graph, &scalar, NULL);
    for (int k = 0; k < loss->trained; ++k) {
        const int64_t at = loss->n - loss->trained + k;
        const saros_value theta = saros_reshape(saros_slice(in[0], 0, at, at + 1, 1), 0, NULL);
        parameter[loss->parameter[k].parameter] =
            trained_value(&loss->parameter[k], saros_cast(theta, SAROS_F64));
    }
    for (int k = 0; k < terms; ++k) {
        const saros_type type =
            saros_type_make(SAROS_F64, 2, (int64_t[]){block_rows(loss, k), columns_of(loss, k)});
        in[1 + numbers + k] = saros_input(graph, &type, "points");
    }
}

/** Squares of a term's residuals summed over its outputs: (rows). */
static saros_value squares(const saros_loss *loss, int term, saros_value w,
                           const saros_value *parameter, saros_value points) {
    const saros_term *t = &loss->terms->term[term];
    const int coordinates = loss->ansatz->coordinates;
    const int outputs = saros_body_outputs(t->expansion.body);
    saros_value x[SAROS_AXES], residual[64], sum = SAROS_NONE;
    for (int k = 0; k < coordinates; ++k) x[k] = column(points, k);
    saros_network_lower(loss->ansatz, w, x, parameter, 1, &t->expansion, residual);
    if (saros_graph_status(w.graph) != SAROS_OK) return saros_poison(w.graph);
    for (int k = 0; k < outputs; ++k) {
        saros_value r = residual[k];
        if (t->targets) r = saros_sub(r, column(points, coordinates + k));
        const saros_value square = saros_mul(r, r);
        sum = k ? saros_add(sum, square) : square;
    }
    return sum;
}

static saros_status compile_step(saros_loss *loss) {
    saros_status status = SAROS_OK;
    saros_graph *graph = NULL;
    saros_value in[1 + 64 + SAROS_MOST_TERMS], parameter[64], out[2];
    const int terms = loss->terms->count, first = 1 + loss->ansatz->parameters;
    SAROS_TRY(saros_graph_make(&graph));
    declare(loss, graph, terms, in, parameter);
    out[0] = saros_scalar(graph, SAROS_F64, 0);
    for (int k = 0; k < terms; ++k) {
        const saros_value points = in[first + k], q = column(points, columns_of(loss, k) - 1);
        const saros_value sum =
            saros_sum(saros_mul(q, squares(loss, k, in[0], parameter, points)), 1);
        const saros_value term = saros_mul(saros_like(sum, loss->terms->term[k].weight), sum);
        out[0] = k ? saros_add(out[0], term) : term;
    }
    saros_vjp(1, &out[0], NULL, 1, &in[0], &out[1]);
    out[1] = saros_instantiate(out[1], in[0]);
    SAROS_TRY(saros_compile(graph, first + terms, in, 2, out,
                            &(saros_compile_options){.name = "training step"}, &loss->step));
done:
    saros_graph_release(graph);
    return status;
}

static saros_status compile_residual(saros_loss *loss) {
    saros_status status = SAROS_OK;
    saros_graph *graph = NULL;
    saros_value in[1 + 64 + 1], parameter[64];
    const int first = 1 + loss->ansatz->parameters;
    SAROS_TRY(saros_graph_make(&graph));
    declare(loss, graph, 1, in, parameter);
    const saros_value size = saros_sqrt(squares(loss, 0, in[0], parameter, in[first]));
    SAROS_TRY(saros_compile(graph, first + 1, in, 1, &size,
                            &(saros_compile_options){.name = "residual"}, &loss->residual));
done:
    saros_graph_release(graph);
    return status;
}

/* ---- points in blocks ---- */
void saros_loss_put(saros_loss *loss, int term, int64_t i, const double *from) {
    const int64_t rows = block_rows(loss, term);
    const int columns = columns_of(loss, term);
    saros_tensor *block = loss->points[i / rows * loss->terms->count + term];
    double *to = saros_tensor_data(block);
    memcpy(to + i % rows * columns, from, (size_t)columns * sizeof *to);
}

static saros_status cut_points(saros_loss *loss) {
    saros_status status = SAROS_OK;
    const int terms = loss->terms->count;
    for (int k = 0; k < loss->blocks * terms; ++k) {
        const int64_t shape[2] = {block_rows(loss, k % terms), columns_of(loss, k % terms)};
        SAROS_TRY(saros_tensor_make(SAROS_F64, 2, shape, &loss->points[k]));
    }
    for (int term = 0; term < terms; ++term) {
        const saros_term *t = &loss->terms->term[term];
        const int64_t filled = block_rows(loss, term) * loss->blocks;
        const int columns = columns_of(loss, term);
        double row[SAROS_AXES + 17];
        for (int64_t i = 0; i < filled; ++i) {
            const double *x = saros_tensor_const_data(t->points);
            memcpy(row, x + i % t->count * columns, (size_t)columns * sizeof *row);
            if (i >= t->count) row[columns - 1] = 0;
            saros_loss_put(loss, term, i, row);
        }
    }
done:
    return status;
}

static saros_status make_tensors(saros_loss *loss, saros_tensor *const *number) {
    saros_status status = SAROS_OK;
    const size_t blocks = (size_t)loss->blocks, terms = (size_t)loss->terms->count;
    for (int k = 0; k < loss->ansatz->parameters; ++k)
        loss->number[k] = saros_tensor_retain(number[k]);
    SAROS_TRY(saros_tensor_make(loss->ansatz->dtype, 1, &loss->n, &loss->w));
    loss->points = saros_allocate_zero(blocks * terms, sizeof *loss->points);
    loss->loss = saros_allocate_zero(2 * blocks, sizeof *loss->loss);
    if (!loss->points || !loss->loss) SAROS_TRY(SAROS_ERR_MEMORY);
    loss->gradient = loss->loss + blocks;
    for (size_t k = 0; k < blocks; ++k) {
        SAROS_TRY(saros_tensor_make(SAROS_F64, 0, NULL, &loss->loss[k]));
        SAROS_TRY(saros_tensor_make(loss->ansatz->dtype, 1, &loss->n, &loss->gradient[k]));
    }
    SAROS_TRY(cut_points(loss));
done:
    return status;
}

saros_status saros_loss_make(const saros_ansatz *ansatz, const saros_terms *terms,
                             const saros_pinn_options *options, saros_tensor *const *number,
                             int trained, const saros_trained *parameter, saros_loss *out) {
    saros_status status = SAROS_OK;
    saros_loss made = {.ansatz = ansatz,
                       .terms = terms,
                       .options = options,
                       .trained = trained,
                       .parameter = parameter};
    if (ansatz->parameters > 62 - SAROS_MOST_TERMS)
        return saros_fail(SAROS_ERR_UNSUPPORTED, "network method", NULL,
                          "%d parameters, at most %d", ansatz->parameters, 62 - SAROS_MOST_TERMS);
    made.n = saros_network_size(&ansatz->network) + trained;
    made.blocks = (int)((terms->term[0].count + BLOCK_ROWS - 1) / BLOCK_ROWS);
    SAROS_TRY(make_tensors(&made, number));
    SAROS_TRY(compile_step(&made));
    if (options->resample >= 0) SAROS_TRY(compile_residual(&made));
    *out = made;
    return SAROS_OK;
done:
    saros_loss_clear(&made);
    return status;
}

void saros_loss_clear(saros_loss *loss) {
    saros_function_release(loss->step);
    saros_function_release(loss->residual);
    for (int k = 0; loss->points && k < loss->blocks * loss->terms->count; ++k)
        saros_tensor_release(loss->points[k]);
    for (int k = 0; loss->loss && k < 2 * loss->blocks; ++k) saros_tensor_release(loss->loss[k]);
    for (int k = 0; k < 64; ++k) saros_tensor_release(loss->number[k]);
    saros_tensor_release(loss->w);
    saros_release(loss->points);
    saros_release(loss->loss);
    *loss = (saros_loss){0};
}

/* ---- objective ---- */
static saros_status run_block(void *user, int64_t block) {
    saros_loss *loss = user;
    const int numbers = loss->ansatz->parameters, terms = loss->terms->count;
    saros_tensor *in[64], *out[2] = {loss->loss[block], loss->gradient[block]};
    in[0] = loss->w;
    memcpy(&in[1], loss->number, (size_t)numbers * sizeof *in);
    memcpy(&in[1 + numbers], &loss->points[block * terms], (size_t)terms * sizeof *in);
    return saros_function_call(loss->step, in, out, NULL);
}

static void set_weights(saros_loss *loss, const double *w) {
    if (loss->ansatz->dtype == SAROS_F64) {
        memcpy(saros_tensor_data(loss->w), w, (size_t)loss->n * sizeof *w);
        return;
    }
    float *to = saros_tensor_data(loss->w);
    for (int64_t i = 0; i < loss->n; ++i) to[i] = (float)w[i];
}

static void add_gradient(const saros_loss *loss, const saros_tensor *block, double *gradient) {
    if (loss->ansatz->dtype == SAROS_F64) {
        const double *g = saros_tensor_const_data(block);
        for (int64_t i = 0; i < loss->n; ++i) gradient[i] += g[i];
        return;
    }
    const float *g = saros_tensor_const_data(block);
    for (int64_t i = 0; i < loss->n; ++i) gradient[i] += (double)g[i];
}

static saros_status evaluate(void *user, const double *w, double *value, double *gradient) {
    saros_loss *loss = user;
    set_weights(loss, w);
    const saros_status status = saros_pool_run(loss->blocks, run_block, loss);
    if (status != SAROS_OK) return status;
    memset(gradient, 0, (size_t)loss->n * sizeof *gradient);
    *value = 0;
    for (int k = 0; k < loss->blocks; ++k) {
        *value += *(const double *)saros_tensor_const_data(loss->loss[k]);
        add_gradient(loss, loss->gradient[k], gradient);
    }
    return SAROS_OK;
}

static saros_status renew(void *user, int64_t iteration, const double *w, bool *changed) {
    saros_loss *loss = user;
    const int64_t every = loss->options->resample ? loss->options->resample : 250;
    *changed = loss->residual && iteration - loss->renewed >= every;
    if (!*changed) return SAROS_OK;
    loss->renewed = iteration;
    set_weights(loss, w);
    return saros_loss_resample(loss, iteration);
}

saros_objective saros_loss_objective(saros_loss *loss) {
    return (saros_objective){.n = loss->n, .evaluate = evaluate, .renew = renew, .user = loss};
}
