/** Lowering for the network method: leaves D^alpha u_k of expanded bodies as streams of the ansatz.
 *
 *  Taylor mode with respect to the coordinate columns: one jet per axis to the highest order
 * needed, D^alpha u = alpha! times its coefficient; mixed derivatives are jets of jets, axis after
 * axis. Hash-consing makes jets along several axes share their primal, so u, u_x, u_xx, u_t are
 * four streams through the layers. Rows of a batch are independent: each column's jet moves all
 * points at once.
 */
#include <string.h>

#include "lower_impl.h"
#include "saros/autodiff.h"
#include "saros/memory.h"

/** Known values D^alpha u_k (n); the first ones are the unknowns. */
typedef struct streams {
    const saros_ansatz *ansatz;
    const saros_value *coordinate;
    int count, room;
    saros_leaf *leaf;
    saros_value *value;
} streams;

enum { MOST_ORDER = 12 };

static int find_stream(const streams *s, const saros_leaf *leaf) {
    for (int k = 0; k < s->count; ++k)
        if (!memcmp(&s->leaf[k], leaf, sizeof *leaf)) return k;
    return -1;
}

static void add_stream(streams *s, const saros_leaf *leaf, saros_value value) {
    if (find_stream(s, leaf) >= 0) return;
    s->leaf[s->count] = *leaf;
    s->value[s->count++] = value;
}

/** Column of an axis of the physics graph. */
static int column_of(const saros_ansatz *ansatz, int axis) {
    return axis == SAROS_TIME_AXIS ? ansatz->axes : axis;
}

/** Derivatives 1 … order of stream `base` along `axis`. */
static void add_jet(streams *s, int base, int axis, int order) {
    const saros_value column = s->coordinate[column_of(s->ansatz, axis)], value = s->value[base];
    saros_value series[MOST_ORDER], found[MOST_ORDER];
    saros_leaf leaf = s->leaf[base];
    double factorial = 1;
    series[0] = saros_splat(column.graph, saros_value_type(column), 1);
    for (int k = 1; k < order; ++k) series[k] = SAROS_NONE;
    saros_jet(1, &value, 1, &column, order, series, found);
    for (int k = 1; k <= order; ++k) {
        factorial *= k;
        leaf.order[axis] = k;
        const saros_value coefficient = saros_instantiate(found[k - 1], value);
        add_stream(s, &leaf, saros_mul(saros_like(value, factorial), coefficient));
    }
}

/** Highest order along `axis` among wanted leaves that agree with `base` on the axes before. */
static int order_wanted(const saros_leaf *base, int axis, int wanted, const saros_leaf *leaf) {
    int order = 0;
    for (int k = 0; k < wanted; ++k)
        if (leaf[k].unknown == base->unknown &&
            !memcmp(leaf[k].order, base->order, (size_t)axis * sizeof(int)) &&
            leaf[k].order[axis] > order)
            order = leaf[k].order[axis];
    return order;
}

/** Adds every wanted leaf. Streams found along one axis are the bases of the next. */
static void add_derivatives(streams *s, int wanted, const saros_leaf *leaf) {
    for (int axis = 0; axis < SAROS_AXES; ++axis) {
        const int bases = s->count;
        for (int base = 0; base < bases; ++base) {
            const int order = order_wanted(&s->leaf[base], axis, wanted, leaf);
            if (order > MOST_ORDER) {
                (void)saros_fail(SAROS_ERR_UNSUPPORTED, "network method", NULL,
                                 "a derivative of order %d is not in this build, at most %d", order,
                                 (int)MOST_ORDER);
                (void)saros_poison(s->coordinate[0].graph);
            } else if (order > 0) {
                add_jet(s, base, axis, order);
            }
        }
    }
}

/** Inlines one expansion: its inputs are unknowns, coordinates, parameters, derivatives. */
static void place(const streams *s, const saros_value *parameter, const saros_expansion *expansion,
                  saros_value *out) {
    const saros_ansatz *ansatz = s->ansatz;
    const int inputs = saros_body_inputs(expansion->body);
    const int first = ansatz->unknowns, last = first + ansatz->coordinates;
    saros_graph *graph = s->coordinate[0].graph;
    const int64_t n = saros_value_type(s->coordinate[0])->shape[0];
    saros_value in[128];
    bool batched[128];
    if (inputs > 128) {
        (void)saros_fail(SAROS_ERR_UNSUPPORTED, "network method", NULL,
                         "%d values in an equation, at most 128", inputs);
        (void)saros_poison(graph);
        return;
    }
    for (int k = 0; k < inputs; ++k) {
        const int derivative = k - last - ansatz->parameters;
        batched[k] = k < last || derivative >= 0;
        if (k < first)
            in[k] = s->value[k];
        else if (k < last)
            in[k] = s->coordinate[k - first];
        else if (derivative < 0)
            in[k] = parameter[k - last];
        else
            in[k] = s->value[find_stream(s, &expansion->leaf[derivative])];
    }
    saros_vmap(graph, expansion->body, n, in, batched, out);
}

void saros_network_lower(const saros_ansatz *ansatz, saros_value weights,
                         const saros_value *coordinate, const saros_value *parameter,
                         int expansions, const saros_expansion *expansion, saros_value *out) {
    saros_graph *graph = coordinate[0].graph;
    /* Columns of their own: algebra must not see through what jets are taken with respect to. */
    saros_value column[SAROS_AXES];
    for (int k = 0; k < ansatz->coordinates; ++k) column[k] = saros_alias(coordinate[k]);
    streams s = {.ansatz = ansatz, .coordinate = column};
    int wanted = 0;
    for (int k = 0; k < expansions; ++k) wanted += expansion[k].leaves;
    /* Every wanted derivative brings at most the lower orders along its axes with it. */
    s.room = ansatz->unknowns + wanted * MOST_ORDER * SAROS_AXES;
    s.leaf = saros_allocate_zero((size_t)(s.room + wanted), sizeof *s.leaf);
    s.value = saros_allocate((size_t)s.room * sizeof *s.value);
    if (!s.leaf || !s.value) {
        (void)saros_poison(graph);
        goto done;
    }
    saros_leaf *want = s.leaf + s.room;
    for (int k = 0, j = 0; k < expansions; ++k)
        for (int i = 0; i < expansion[k].leaves; ++i) want[j++] = expansion[k].leaf[i];
    saros_ansatz_apply(ansatz, weights, column, parameter, s.value);
    for (int k = 0; k < ansatz->unknowns; ++k) s.leaf[k].unknown = k;
    s.count = ansatz->unknowns;
    add_derivatives(&s, wanted, want);
    if (saros_graph_status(graph) != SAROS_OK) goto done;
    for (int k = 0; k < expansions; ++k) {
        place(&s, parameter, &expansion[k], out);
        out += saros_body_outputs(expansion[k].body);
    }
done:
    saros_release(s.leaf);
    saros_release(s.value);
}
