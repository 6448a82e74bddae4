/** Splitting the terms of an equation.
 *
 *  A term is what stands under sums, differences, factors free of unknowns and derivatives of
 * these: where a row is linear in all operands that depend on unknowns, its operands are split, and
 * the row is applied to each part; anything else is one term. A term is implicit by the derivatives
 * in it, those that stand around it included. Where all terms below a row are of one kind the row
 * is left as it is, so that a flux is split only if it has both kinds in it; each part is then
 * differenced as if it stood alone.
 *
 *  Whether a term is stiff is not looked at: only its derivatives.
 */
#include "terms_impl.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "saros/memory.h"
#include "saros/ops.h"
#include "saros/primitive.h"

enum { SPACE = SAROS_TIME_AXIS, MOST_NAMES = 16, MOST_ORDER = 4, ORDERS = MOST_ORDER + 1 };

/* A derivative of an unknown: how often along each axis. */
typedef struct derivative {
    int unknown, along[SPACE];
} derivative;

/* What a value is made of: nothing that hangs on unknowns, or terms. */
typedef enum kind { FREE, EXPLICIT, IMPLICIT, MIXED } kind;

/* At one id, under given markers. */
typedef struct parts {
    kind kind;
    saros_value implicit_, explicit_; /* where MIXED */
} parts;

typedef struct split {
    const saros_problem *problem;
    const saros_body *source;
    saros_graph *from, *to;
    int count;
    bool *live;
    int *depth; /* by id: derivatives in space around an unknown, at most; -1: free of unknowns */
    saros_value *whole; /* by id: in `to` */
    int names;
    derivative name[MOST_NAMES];
} split;

/* ---- names ---- */

static saros_status read_name(split *s, const char *text, size_t length) {
    const saros_problem *p = s->problem;
    char word[64];
    derivative *to = &s->name[s->names];
    snprintf(word, sizeof word, "%.*s", (int)length, text);
    if (s->names == MOST_NAMES)
        return saros_fail(SAROS_ERR_USAGE, "implicit", NULL, "more than %d names", MOST_NAMES);
    char *dot = strchr(word, '.');
    if (dot) *dot++ = 0;
    *to = (derivative){.unknown = saros_unknown_index(p, word)};
    if (to->unknown < 0)
        return saros_fail(SAROS_ERR_USAGE, "implicit",
                          saros_nearest_name(word, p->unknown, p->unknowns),
                          "'%.*s' names no unknown of %s", (int)length, text, p->name);
    for (int order = 0; dot && *dot; ++dot, ++order) {
        const int axis = saros_axis_index(p, *dot);
        if (axis < 0 || axis >= p->axes || order == MOST_ORDER)
            return saros_fail(SAROS_ERR_USAGE, "implicit", "write \"u.xx\", or \"u\" for u itself",
                              "'%.*s' is no derivative in space", (int)length, text);
        to->along[axis]++;
    }
    s->names++;
    return SAROS_OK;
}

static saros_status read_names(split *s, const char *names) {
    saros_status status = SAROS_OK;
    for (const char *c = names; c && *c && status == SAROS_OK;) {
        size_t length = strcspn(c, " ,");
        if (length) status = read_name(s, c, length);
        c += length + (c[length] != 0);
    }
    return status;
}

/* ---- what a term has in it ---- */

static bool is_marker(const saros_node *node) {
    return node->row == &saros_row_derivative;
}

static void find_depths(split *s) {
    for (int32_t id = 0; id < s->count; ++id) {
        const saros_node node = saros_graph_node(s->from, id, NULL);
        const int input = saros_body_input_index(s->source, id);
        s->depth[id] = input >= 0 && input < s->problem->unknowns ? 0 : -1;
        for (int k = 0; k < node.operands; ++k)
            if (s->depth[node.operand[k]] > s->depth[id]) s->depth[id] = s->depth[node.operand[k]];
        if (is_marker(&node) && s->depth[id] >= 0) s->depth[id]++;
    }
}

/* Whether the unknown of `d` stands in `id` under exactly its derivatives; `above` are those of
 * them that stand around id. Ids ascend towards the outputs, so what lies below is done. */
static saros_status contains(const split *s, int32_t id, const derivative *d, const int *above,
                             bool *found) {
    const int stride[SPACE + 1] = {1, ORDERS, ORDERS * ORDERS, ORDERS * ORDERS * ORDERS};
    const int32_t unknown = saros_body_input(s->source, d->unknown).id;
    const size_t room = (size_t)(id + 1) * (size_t)stride[SPACE];
    bool *seen = saros_allocate_zero(room, sizeof *seen); /* reached with these left to find */
    int left[SPACE], state = 0;
    if (!seen) return SAROS_ERR_MEMORY;
    *found = false;
    for (int a = 0; a < SPACE; ++a) state += stride[a] * (d->along[a] - above[a]);
    seen[(size_t)id * (size_t)stride[SPACE] + (size_t)state] = true;
    for (int32_t at = id; at >= 0; --at) {
        const saros_node node = saros_graph_node(s->from, at, NULL);
        for (state = 0; state < stride[SPACE]; ++state) {
            if (!seen[(size_t)at * (size_t)stride[SPACE] + (size_t)state]) continue;
            if (at == unknown && state == 0) *found = true;
            for (int a = 0; a < SPACE; ++a) left[a] = state / stride[a] % ORDERS;
            int next = state;
            if (is_marker(&node)) {
                const int a = (int)node.attributes.word[0];
                if (a >= SPACE || !left[a]) continue;
                next -= stride[a];
            }
            for (int k = 0; k < node.operands; ++k)
                seen[(size_t)node.operand[k] * (size_t)stride[SPACE] + (size_t)next] = true;
        }
    }
    saros_release(seen);
    return SAROS_OK;
}

/* The kind of one term; `above`: derivatives around it. */
static saros_status term_kind(const split *s, int32_t id, const int *above, kind *out) {
    int order = s->depth[id];
    *out = EXPLICIT;
    for (int a = 0; a < SPACE; ++a) order += above[a];
    if (!s->names && order >= 2) *out = IMPLICIT;
    for (int k = 0; k < s->names && *out == EXPLICIT; ++k) {
        bool within = true, found = false;
        for (int a = 0; a < SPACE; ++a) within &= above[a] <= s->name[k].along[a];
        saros_status status = within ? contains(s, id, &s->name[k], above, &found) : SAROS_OK;
        if (status) return status;
        if (found) *out = IMPLICIT;
    }
    return SAROS_OK;
}

/* ---- splitting ---- */

/* The operands that hang on unknowns, if the row is linear in them together; else 0. */
static saros_operand_set split_set(const split *s, const saros_node *node) {
    saros_operand_set needed = 0;
    for (int k = 0; k < node->operands; ++k)
        if (s->depth[node->operand[k]] >= 0) needed |= (saros_operand_set)1 << k;
    for (int k = 0; k < 3; ++k)
        if (node->row->linear_in[k] && !(needed & ~node->row->linear_in[k]))
            return node->row->linear_in[k];
    return 0;
}

/* The row on the parts of one kind; what has none there is zero. */
static saros_value apply(const split *s, const saros_node *node, saros_operand_set set,
                         const parts *of, kind wanted) {
    saros_value operand[SAROS_MAX_OUTPUTS];
    for (int k = 0; k < node->operands; ++k) {
        const bool here = of[k].kind == wanted || (of[k].kind == FREE && wanted == EXPLICIT);
        if (!(set >> k & 1) || here)
            operand[k] = s->whole[node->operand[k]];
        else if (of[k].kind == MIXED)
            operand[k] = wanted == IMPLICIT ? of[k].implicit_ : of[k].explicit_;
        else
            operand[k] = saros_scalar(s->to, SAROS_F64, 0);
    }
    return saros_build(s->to, node->row, &node->attributes, node->operands, operand);
}

static saros_status split_at(const split *s, int32_t id, const int *above, parts *out);

/* A row that is linear in what hangs on unknowns. */
static saros_status split_linear(const split *s, const saros_node *node, saros_operand_set set,
                                 const int *above, parts *out) {
    parts of[SAROS_MAX_OUTPUTS];
    int around[SPACE];
    bool some[MIXED + 1] = {false};
    memcpy(around, above, sizeof around);
    if (is_marker(node)) around[node->attributes.word[0]]++;
    for (int k = 0; k < node->operands; ++k) {
        of[k] = (parts){.kind = FREE};
        saros_status status =
            set >> k & 1 ? split_at(s, node->operand[k], around, &of[k]) : SAROS_OK;
        if (status) return status;
        if (set >> k & 1) some[of[k].kind] = true;
    }
    if (!some[MIXED] && !(some[IMPLICIT] && (some[EXPLICIT] || some[FREE]))) {
        out->kind = some[IMPLICIT] ? IMPLICIT : EXPLICIT;
        return SAROS_OK;
    }
    *out = (parts){MIXED, apply(s, node, set, of, IMPLICIT), apply(s, node, set, of, EXPLICIT)};
    return SAROS_OK;
}

/* Depth of the recursion: that of the sums and derivatives an equation is written with. */
static saros_status split_at(const split *s, int32_t id, const int *above, parts *out) {
    *out = (parts){.kind = FREE};
    if (s->depth[id] < 0) return SAROS_OK;
    const saros_node node = saros_graph_node(s->from, id, NULL);
    const saros_operand_set set = node.operands <= SAROS_MAX_OUTPUTS ? split_set(s, &node) : 0;
    if (!set) return term_kind(s, id, above, &out->kind);
    return split_linear(s, &node, set, above, out);
}

/* ---- the bodies ---- */

static saros_status copy_all(split *s) {
    saros_type scalar = saros_type_scalar(SAROS_F64);
    saros_value operand[SAROS_MAX_OUTPUTS];
    for (int k = 0; k < saros_body_inputs(s->source); ++k) {
        saros_value in = saros_body_input(s->source, k);
        s->whole[in.id] = saros_input(s->to, &scalar, saros_value_name(in));
    }
    for (int32_t id = 0; id < s->count; ++id) {
        if (!s->live[id] || saros_body_input_index(s->source, id) >= 0) continue;
        const saros_node node = saros_graph_node(s->from, id, NULL);
        for (int k = 0; k < node.operands; ++k) operand[k] = s->whole[node.operand[k]];
        saros_graph_locate(s->to, node.file, node.line);
        s->whole[id] = saros_build(s->to, node.row, &node.attributes, node.operands, operand);
    }
    return saros_graph_status(s->to);
}

/* Rests of one kind, then the masses, as a body; `any` if there is a term. */
static saros_status close_kind(split *s, kind wanted, saros_body **out, bool *any) {
    const int above[SPACE] = {0}, n = s->problem->unknowns;
    saros_status status = SAROS_OK;
    saros_graph *outer = NULL;
    saros_value *value = saros_allocate((size_t)(2 * n) * sizeof *value);
    if (!value) return SAROS_ERR_MEMORY;
    SAROS_TRY(saros_graph_make(&outer));
    s->to = saros_body_open(outer);
    if (!s->to) SAROS_TRY(SAROS_ERR_MEMORY);
    SAROS_TRY(copy_all(s));
    for (int k = 0; k < n; ++k) {
        const int32_t rest = saros_body_output(s->source, k).id;
        parts p;
        SAROS_TRY(split_at(s, rest, above, &p));
        const bool all = p.kind == wanted || (p.kind == FREE && wanted == EXPLICIT);
        value[k] = all                  ? s->whole[rest]
                   : p.kind != MIXED    ? saros_scalar(s->to, SAROS_F64, 0)
                   : wanted == IMPLICIT ? p.implicit_
                                        : p.explicit_;
        value[n + k] = s->whole[saros_body_output(s->source, n + k).id];
        *any |= p.kind == wanted || p.kind == MIXED;
    }
    saros_graph *closing = s->to;
    s->to = NULL;
    SAROS_TRY(saros_body_close(closing, 2 * n, value, out, NULL));
done:
    saros_graph_release(s->to);
    s->to = NULL;
    saros_graph_release(outer);
    saros_release(value);
    return status;
}

static void release_terms(void *payload) {
    saros_terms *terms = payload;
    if (!terms) return;
    saros_body_release(terms->implicit_);
    saros_body_release(terms->explicit_);
    saros_release(terms);
}

/* What make_terms is told. */
typedef struct recipe {
    const saros_problem *problem;
    const char *names;
} recipe;

static saros_status split_both(split *s, const char *names, saros_terms *out) {
    bool any = false, others = false;
    saros_status status = saros_body_live(s->source, &s->live);
    if (status) return status;
    s->depth = saros_allocate((size_t)s->count * sizeof *s->depth);
    s->whole = saros_allocate((size_t)s->count * sizeof *s->whole);
    if (!s->depth || !s->whole) return SAROS_ERR_MEMORY;
    SAROS_TRY(read_names(s, names));
    find_depths(s);
    SAROS_TRY(close_kind(s, IMPLICIT, &out->implicit_, &any));
    SAROS_TRY(close_kind(s, EXPLICIT, &out->explicit_, &others));
    if (!any)
        status = saros_fail(
            SAROS_ERR_USAGE, "implicit", "name terms, as implicit = \"u\", or use rk4 or dopri5",
            names ? "%s: no term has %s"
                  : "%s: no term has derivatives of second order to take implicitly%s",
            s->problem->name, names ? names : "");
done:
    return status;
}

static saros_status make_terms(const void *how, void **payload) {
    const recipe *r = how;
    split s = {.problem = r->problem, .source = r->problem->inspection.rate};
    saros_terms *made = saros_allocate_zero(1, sizeof *made);
    if (!made) return SAROS_ERR_MEMORY;
    s.from = saros_body_graph(s.source);
    s.count = saros_graph_count(s.from);
    saros_status status = split_both(&s, r->names, made);
    saros_release(s.live);
    saros_release(s.depth);
    saros_release(s.whole);
    if (status)
        release_terms(made);
    else
        *payload = made;
    return status;
}

saros_status saros_problem_terms(saros_problem *problem, const char *names,
                                 const saros_terms **out) {
    char key[256];
    void *payload = NULL;
    const recipe r = {problem, names};
    if (names && strlen(names) > 200)
        return saros_fail(SAROS_ERR_USAGE, "implicit", NULL, "more names than fit");
    snprintf(key, sizeof key, "terms %s", names ? names : "");
    saros_status status =
        saros_problem_cached(problem, key, make_terms, &r, release_terms, &payload);
    if (status == SAROS_OK) *out = payload;
    return status;
}
