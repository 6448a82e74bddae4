/** What an equation is, read off its graph: order of each unknown along each axis, linearity, and
 * the time form.
 *
 *  Orders: an unknown has order 0 in itself; a marker along axis a raises by one the a-order of all
 * unknowns its operand depends on; other rows take the maximum. Degree: 0 free of unknowns, 1
 * affine (through one linear set of every row on the way), 2 anything else. Time form: residual k
 * is explicit if it is affine in d(u_k, t) and free of other time derivatives. */
#include <stdio.h>
#include <string.h>

#include "affine_impl.h"
#include "problem_impl.h"
#include "saros/memory.h"
#include "saros/primitive.h"

enum { AXES = SAROS_TIME_AXIS + 1 };

typedef struct examination {
    saros_problem *problem;
    saros_graph *graph;
    bool *live;
    int *degree; /* by id */
    int *order;  /* [(id * unknowns + j) * AXES + a]; -1: does not depend on u_j */
} examination;

static int *order_of(const examination *e, int32_t id) {
    return e->order + (size_t)id * (size_t)e->problem->unknowns * AXES;
}

static int degree_of(const examination *e, const saros_node *node) {
    saros_operand_set needed = 0;
    int degree = 0;
    for (int k = 0; k < node->operands; ++k) {
        int d = e->degree[node->operand[k]];
        if (d) needed |= (saros_operand_set)1 << k;
        if (d > degree) degree = d;
    }
    if (degree != 1) return degree;
    for (int k = 0; k < 3; ++k)
        if (node->row->linear_in[k] && (needed & ~node->row->linear_in[k]) == 0) return 1;
    return 2;
}

static void examine_node(examination *e, int32_t id) {
    saros_node node = saros_graph_node(e->graph, id, NULL);
    int n = e->problem->unknowns * AXES;
    int *own = order_of(e, id);
    for (int k = 0; k < node.operands; ++k) {
        const int *in = order_of(e, node.operand[k]);
        for (int i = 0; i < n; ++i)
            if (in[i] > own[i]) own[i] = in[i];
    }
    if (node.row == &saros_row_derivative)
        for (int i = (int)node.attributes.word[0]; i < n; i += AXES)
            if (own[i] >= 0) own[i]++;
    e->degree[id] = degree_of(e, &node);
}

static void examine_all(examination *e) {
    const saros_body *body = e->problem->equation;
    int n = e->problem->unknowns * AXES;
    for (int32_t id = 0; id < saros_graph_count(e->graph); ++id) {
        int *own = order_of(e, id);
        for (int i = 0; i < n; ++i) own[i] = -1;
        int k = saros_body_input_index(body, id);
        if (k >= 0 && k < e->problem->unknowns) {
            for (int a = 0; a < AXES; ++a) own[k * AXES + a] = 0;
            e->degree[id] = 1;
        } else if (k < 0 && e->live[id]) {
            examine_node(e, id);
        }
    }
}

/** Highest orders over the residuals, and linearity. */
static void sum_up(const examination *e) {
    saros_inspection *found = &e->problem->inspection;
    const saros_body *body = e->problem->equation;
    found->form.linear = true;
    for (int k = 0; k < saros_body_outputs(body); ++k) {
        int32_t id = saros_body_output(body, k).id;
        if (e->degree[id] > 1) found->form.linear = false;
        for (int i = 0; i < e->problem->unknowns * AXES; ++i)
            if (order_of(e, id)[i] > found->order[i]) found->order[i] = order_of(e, id)[i];
    }
    for (int i = 0; i < e->problem->unknowns * AXES; ++i) {
        int a = i % AXES, order = found->order[i];
        int *most = a == SAROS_TIME_AXIS ? &found->form.time_order : &found->form.space_order[a];
        if (order > *most) *most = order;
    }
}

/* ---- time form ---- */

/** Id of d(u_j, t), -1 if the equation has none. */
static int32_t rate_marker(const examination *e, int j) {
    int32_t unknown = saros_body_input(e->problem->equation, j).id;
    for (int32_t id = 0; id < saros_graph_count(e->graph); ++id) {
        if (!e->live[id]) continue;
        saros_node node = saros_graph_node(e->graph, id, NULL);
        if (node.row == &saros_row_derivative && node.attributes.word[0] == SAROS_TIME_AXIS &&
            node.operand[0] == unknown)
            return id;
    }
    return -1;
}

/** Whether a time marker other than d(u_j, t) is used. */
static bool other_time_marker(const examination *e) {
    for (int32_t id = 0; id < saros_graph_count(e->graph); ++id) {
        if (!e->live[id]) continue;
        saros_node node = saros_graph_node(e->graph, id, NULL);
        if (node.row != &saros_row_derivative || node.attributes.word[0] != SAROS_TIME_AXIS)
            continue;
        int k = saros_body_input_index(e->problem->equation, node.operand[0]);
        if (k < 0 || k >= e->problem->unknowns) return true;
    }
    return false;
}

/** Rows r_k = M_k u_k.t + rest_k, or why they are not. Keeps the body of rests, then M. */
static saros_status take_rows(const examination *e, saros_affine *split) {
    saros_problem *p = e->problem;
    saros_inspection *found = &p->inspection;
    int n = p->unknowns;
    for (int k = 0; k < n; ++k)
        for (int j = 0; j < n; ++j) {
            if (split->depends[k * n + j] == (k == j)) continue;
            snprintf(found->obstacle, sizeof found->obstacle,
                     k == j ? "residual %d has no time derivative of %s"
                            : "residual %d has the time derivative of %s",
                     k + 1, p->unknown[j]);
            return SAROS_OK;
        }
    saros_graph *outer = NULL, *graph = NULL;
    saros_value *in = NULL, *all = NULL, *out = NULL;
    saros_status status = SAROS_OK;
    SAROS_TRY(saros_graph_make(&outer));
    in = saros_allocate((size_t)saros_body_inputs(split->body) * sizeof *in);
    all = saros_allocate((size_t)saros_body_outputs(split->body) * sizeof *all);
    out = saros_allocate((size_t)(2 * n) * sizeof *out);
    if (!in || !all || !out) {
        status = SAROS_ERR_MEMORY;
        goto done;
    }
    SAROS_TRY(saros_point_open(p, outer, &graph, in));
    saros_inline(graph, split->body, in, all);
    for (int k = 0; k < n; ++k) {
        out[k] = all[k];
        out[n + k] = all[n + k * n + k];
    }
    saros_graph *closing = graph;
    graph = NULL;
    SAROS_TRY(saros_body_close(closing, 2 * n, out, &found->rate, NULL));
    found->form.explicit_ = true;
done:
    saros_graph_release(graph);
    saros_graph_release(outer);
    saros_release(in);
    saros_release(all);
    saros_release(out);
    return status;
}

static saros_status find_time_form(const examination *e) {
    saros_problem *p = e->problem;
    saros_inspection *found = &p->inspection;
    if (!p->transient || found->form.time_order == 0) return SAROS_OK;
    if (found->form.time_order > 1) {
        snprintf(found->obstacle, sizeof found->obstacle,
                 "it has time derivatives of order %d; write a system of first order",
                 found->form.time_order);
        return SAROS_OK;
    }
    if (other_time_marker(e)) {
        snprintf(found->obstacle, sizeof found->obstacle,
                 "it has the time derivative of an expression, not of an unknown");
        return SAROS_OK;
    }
    int32_t *target = saros_allocate((size_t)p->unknowns * sizeof *target);
    if (!target) return SAROS_ERR_MEMORY;
    for (int j = 0; j < p->unknowns; ++j) target[j] = rate_marker(e, j);
    saros_affine split = {0};
    saros_status status = saros_affine_split(p->equation, p->unknowns, target, &split);
    if (status == SAROS_OK) {
        status = take_rows(e, &split);
    } else if (status == SAROS_ERR_UNSUPPORTED) {
        snprintf(found->obstacle, sizeof found->obstacle,
                 "it is not affine in the time derivative: %s", saros_error_last()->message);
        saros_error_clear();
        status = SAROS_OK;
    }
    saros_body_release(split.body);
    saros_release(split.depends);
    saros_release(target);
    return status;
}

saros_status saros_problem_examine(saros_problem *problem) {
    saros_inspection *found = &problem->inspection;
    size_t n = (size_t)problem->unknowns * AXES;
    found->order = saros_allocate_zero(n, sizeof *found->order);
    if (!found->order) return SAROS_ERR_MEMORY;
    if (!problem->equation) return SAROS_OK;
    examination e = {.problem = problem, .graph = saros_body_graph(problem->equation)};
    size_t count = (size_t)saros_graph_count(e.graph);
    e.degree = saros_allocate_zero(count, sizeof *e.degree);
    e.order = saros_allocate(count * n * sizeof *e.order);
    saros_status status = saros_body_live(problem->equation, &e.live);
    if (status == SAROS_OK && (!e.degree || !e.order)) status = SAROS_ERR_MEMORY;
    if (status == SAROS_OK) {
        examine_all(&e);
        sum_up(&e);
        status = find_time_form(&e);
    }
    saros_release(e.live);
    saros_release(e.degree);
    saros_release(e.order);
    return status;
}

saros_problem_form saros_problem_inspect(const saros_problem *problem) {
    return problem->inspection.form;
}
