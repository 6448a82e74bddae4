/** Terms of a Jacobian, node by node: forward mode with one tangent for each map that occurs.
 *
 *  Element e of a value v depends on x through terms: dv_e = sum over t of scale_t[e] dx[map_t[e]].
 *  For x itself that is one term, the identity with scale 1.
 *
 *      pointwise                   terms of one map are pushed through the node together; maps stay
 *      rows that move elements     maps are composed with the sources (moves.c); the row itself
 *                                  moves the scales; of several operands (concat), terms of equal
 *                                  scale become one
 *      rows that add elements      the same for each layer of sources, at most one an element
 *
 *  Rows at the end that only arrange (the unknowns of a node side by side) are left to whoever
 * writes the matrix: y comes in pieces.
 *
 *  So a local residual is differentiated by its own stencil: no seeds, no colours, no products with
 *  zeros; what does not depend on x (constants, spacings) stays one number. Dots, transforms,
 *  factorisations and regions are not followed. */
#include "jacobian_terms_impl.h"

#include <string.h>

#include "pieces_impl.h"
#include "saros/autodiff.h"
#include "saros/memory.h"
#include "term_maps_impl.h"
#include "uniform_impl.h"

enum { MOST_TERMS = 128 };

/** Term of a value under way. */
typedef struct part {
    const saros_map *map;
    saros_value scale;
} part;
typedef struct list {
    int count;
    part *of;
} list;

typedef struct pass {
    saros_graph *graph;
    int32_t first, last; /* ids of x and y */
    list *of;            /* per id from x on */
    bool *reaches;       /* per id from x on: y is computed from it */
    saros_pieces pieces; /* of y */
    saros_maps *maps;
    saros_uniforms uniforms;
    bool found;
} pass;

static saros_value value_of(const pass *p, int32_t id) {
    return (saros_value){p->graph, id};
}

static const list *terms_of(const pass *p, int32_t id) {
    static const list none = {0};
    return id < p->first ? &none : &p->of[id - p->first];
}

/* ---- scales that are one number ---- */

static bool is_uniform(saros_value scale) {
    return saros_value_rank(scale) == 0;
}

/** A scale over the whole of a type. */
static saros_value whole(saros_value scale, const saros_type *type) {
    return is_uniform(scale) ? saros_broadcast(scale, type->rank, type->shape, NULL) : scale;
}

/* ---- lists ---- */

/** Adds a term of node `id`; terms of one map are added up, zeros left out. */
static saros_status append(pass *p, int32_t id, const saros_map *map, saros_value scale) {
    list *l = &p->of[id - p->first];
    double number;
    if (!map) return SAROS_OK;
    if (saros_is_poisoned(scale)) return saros_graph_status(p->graph);
    saros_value one = saros_uniform(&p->uniforms, scale);
    if (saros_is_poisoned(one)) return saros_graph_status(p->graph);
    if (!saros_is_none(one)) scale = one;
    if (saros_value_is_splat(scale, &number) && number == 0) return SAROS_OK;
    for (int k = 0; k < l->count; ++k)
        if (l->of[k].map == map) {
            saros_value both = saros_add(l->of[k].scale, scale);
            l->of[k].scale = both;
            return saros_is_poisoned(both) ? saros_graph_status(p->graph) : SAROS_OK;
        }
    if (!l->of) l->of = saros_allocate(MOST_TERMS * sizeof *l->of);
    if (!l->of) return SAROS_ERR_MEMORY;
    if (l->count == MOST_TERMS)
        p->found = false;
    else
        l->of[l->count++] = (part){map, scale};
    return SAROS_OK;
}

static const part *find(const list *l, const saros_map *map) {
    for (int k = 0; k < l->count; ++k)
        if (l->of[k].map == map) return &l->of[k];
    return NULL;
}

/* ---- kinds of rows ---- */

/** The terms of one map through a pointwise node. */
static saros_status push(pass *p, const saros_node *node, const saros_map *map) {
    saros_value *tangent = saros_allocate((size_t)node->operands * sizeof *tangent);
    saros_value moved = SAROS_NONE;
    saros_status status = SAROS_OK;
    if (!tangent) return SAROS_ERR_MEMORY;
    for (int k = 0; k < node->operands; ++k) {
        const part *t = find(terms_of(p, node->operand[k]), map);
        saros_type type = *saros_value_type(value_of(p, node->operand[k]));
        tangent[k] = t ? whole(t->scale, &type) : SAROS_NONE;
    }
    saros_node_jvp(value_of(p, node->output), tangent, &moved);
    if (!saros_is_none(moved)) status = append(p, node->output, map, moved);
    saros_release(tangent);
    return status;
}

static saros_status pointwise(pass *p, const saros_node *node) {
    saros_status status = SAROS_OK;
    for (int k = 0; k < node->operands; ++k) {
        const list *l = terms_of(p, node->operand[k]);
        for (int t = 0; t < l->count && status == SAROS_OK; ++t) {
            bool done = false;
            for (int before = 0; before < k; ++before)
                done = done || find(terms_of(p, node->operand[before]), l->of[t].map);
            if (!done) status = push(p, node, l->of[t].map);
        }
    }
    return status;
}

/** Terms of the operands that one term of the result is made of: index in the operand's list. */
typedef struct joined {
    int count, *term; /* [count][operands], -1: none */
} joined;

/** Terms of different operands lie side by side: they become one if that needs no new numbers, or
 * if both have numbers of their own. */
static saros_status join(const pass *p, const saros_node *node, joined *j) {
    int n = node->operands, all = 0;
    for (int k = 0; k < n; ++k) all += terms_of(p, node->operand[k])->count;
    j->term = saros_allocate((size_t)(all * n + 1) * sizeof *j->term);
    if (!j->term) return SAROS_ERR_MEMORY;
    saros_value *scale = saros_allocate((size_t)(all + 1) * sizeof *scale);
    if (!scale) return SAROS_ERR_MEMORY;
    for (int k = 0; k < n; ++k)
        for (int t = 0; t < terms_of(p, node->operand[k])->count; ++t) {
            saros_value s = terms_of(p, node->operand[k])->of[t].scale;
            int g = 0;
            while (g < j->count &&
                   (j->term[g * n + k] >= 0 ||
                    (is_uniform(s) || is_uniform(scale[g]) ? !saros_same(s, scale[g]) : false)))
                ++g;
            if (g == j->count) {
                for (int o = 0; o < n; ++o) j->term[g * n + o] = -1;
                scale[j->count++] = s;
            }
            j->term[g * n + k] = t;
        }
    saros_release(scale);
    return SAROS_OK;
}

/** The maps of the parts, composed with the sources. */
static saros_status compose(const pass *p, const saros_node *node, const int *term,
                            const saros_layer *layer, int64_t count, const saros_map **out) {
    saros_map *made = saros_map_make(count);
    if (!made) return SAROS_ERR_MEMORY;
    memset(made->to, -1, (size_t)count * sizeof *made->to);
    int64_t from = 0;
    for (int k = 0; k < node->operands; ++k) {
        saros_type type = *saros_value_type(value_of(p, node->operand[k]));
        int64_t size = saros_type_count(&type);
        const int32_t *to = term[k] < 0 ? NULL : terms_of(p, node->operand[k])->of[term[k]].map->to;
        for (int64_t e = 0; to && e < count; ++e) {
            int64_t at = layer->source[e] - from;
            if (at >= 0 && at < size) made->to[e] = to[at];
        }
        from += size;
    }
    *out = saros_map_keep(p->maps, made);
    return SAROS_OK;
}

/** The row on scales: zeros for operands without a part, operands that carry no numbers as they
 * are. */
static saros_value row_on_scales(pass *p, int32_t id, const int *term) {
    saros_node node = saros_graph_node(p->graph, id, NULL);
    int n = node.operands;
    saros_value *scale = saros_allocate((size_t)n * sizeof *scale);
    if (!scale) return saros_poison(p->graph);
    for (int k = 0; k < n; ++k) {
        int32_t operand = saros_graph_node(p->graph, id, NULL).operand[k];
        saros_type type = *saros_value_type(value_of(p, operand));
        scale[k] = term[k] >= 0 ? whole(terms_of(p, operand)->of[term[k]].scale, &type)
                   : saros_dtype_is_float(type.dtype) ? saros_splat(p->graph, &type, 0)
                                                      : value_of(p, operand);
    }
    node = saros_graph_node(p->graph, id, NULL);
    saros_value moved = saros_build(p->graph, node.row, &node.attributes, n, scale);
    saros_release(scale);
    return moved;
}

/** Elements of a scale of the operand, as a layer picks them, times its weight. */
static saros_value picked_scale(pass *p, saros_value scale, const saros_layer *layer,
                                const saros_type *type) {
    int64_t n = saros_type_count(saros_value_type(scale)), count = saros_type_count(type);
    saros_tensor *index = NULL;
    if (saros_tensor_make(SAROS_I64, 1, &count, &index) != SAROS_OK) return saros_poison(p->graph);
    int64_t *to = saros_tensor_data(index);
    for (int64_t e = 0; e < count; ++e) to[e] = layer->source[e] < 0 ? 0 : layer->source[e];
    saros_value picked =
        saros_gather(saros_reshape(scale, 1, &n), saros_constant(p->graph, index), 0);
    saros_tensor_release(index);
    return saros_reshape(saros_mul(picked, saros_like(picked, layer->weight)), type->rank,
                         type->shape);
}

/** The terms of a node through one of its layers; `only`: it has no other. */
static saros_status move(pass *p, const saros_node *node, const saros_layer *layer, bool only) {
    saros_type type = *saros_value_type(value_of(p, node->output));
    int64_t count = saros_type_count(&type);
    joined j = {0};
    saros_status status = SAROS_OK;
    SAROS_TRY(join(p, node, &j));
    for (int g = 0; g < j.count; ++g) {
        const int *term = j.term + g * node->operands;
        const saros_map *map = NULL;
        SAROS_TRY(compose(p, node, term, layer, count, &map));
        if (!map) continue;
        int k = 0;
        while (term[k] < 0) ++k;
        saros_value scale = terms_of(p, node->operand[k])->of[term[k]].scale;
        if (is_uniform(scale))
            scale = saros_mul(scale, saros_like(scale, layer->weight));
        else if (only)
            scale = row_on_scales(p, node->output, term);
        else
            scale = picked_scale(p, scale, layer, &type);
        SAROS_TRY(append(p, node->output, map, scale));
    }
done:
    saros_release(j.term);
    return status;
}

static saros_status moved(pass *p, const saros_node *node) {
    saros_moves moves = {0};
    saros_layer layer[SAROS_MOST_LAYERS] = {{0}};
    int layers = -1;
    saros_status status = SAROS_OK;
    SAROS_TRY(saros_moves_find(p->graph, node, &moves, &p->found));
    if (p->found && moves.sums) SAROS_TRY(saros_layers_make(&moves, layer, &layers));
    p->found = layers >= 0;
    for (int k = 0; k < layers && p->found; ++k) SAROS_TRY(move(p, node, &layer[k], layers == 1));
done:
    saros_layers_clear(layer);
    saros_moves_clear(&moves);
    return status;
}

/* ---- the pass ---- */

static saros_status visit(pass *p, int32_t id) {
    int k;
    saros_node node = saros_graph_node(p->graph, id, &k);
    bool reads = false, wanted = false;
    for (int o = 0; o < node.operands; ++o) reads = reads || terms_of(p, node.operand[o])->count;
    for (int m = 0; m < node.outputs && node.output + m <= p->last; ++m)
        wanted = wanted || p->reaches[node.output + m - p->first];
    if (k > 0 || !reads || !wanted || node.row->flags & SAROS_CONSTANT) return SAROS_OK;
    p->found = node.outputs == 1 && saros_value_dtype(value_of(p, id)) == SAROS_F64;
    if (!p->found) return SAROS_OK;
    return node.row->flags & SAROS_POINTWISE ? pointwise(p, &node) : moved(p, &node);
}

static int64_t size_of(const pass *p, int32_t id) {
    return saros_type_count(saros_value_type(value_of(p, id)));
}

/** Marks from the pieces back what they are computed from. */
static void mark(pass *p) {
    for (int k = 0; k < p->pieces.count; ++k)
        if (p->pieces.id[k] >= p->first) p->reaches[p->pieces.id[k] - p->first] = true;
    for (int32_t id = p->last; id > p->first; --id) {
        if (!p->reaches[id - p->first]) continue;
        saros_node node = saros_graph_node(p->graph, id, NULL);
        for (int k = 0; k < node.operands; ++k)
            if (node.operand[k] >= p->first) p->reaches[node.operand[k] - p->first] = true;
    }
}

static saros_status seed(pass *p, saros_value x) {
    saros_type type = *saros_value_type(x);
    int64_t n = saros_type_count(&type);
    saros_map *identity = saros_map_make(n);
    if (!identity) return SAROS_ERR_MEMORY;
    for (int64_t e = 0; e < n; ++e) identity->to[e] = (int32_t)e;
    return append(p, x.id, saros_map_keep(p->maps, identity), saros_scalar(p->graph, SAROS_F64, 1));
}

static saros_status hand_over(pass *p, saros_jacobian_terms *out) {
    int64_t first = 0;
    out->rows = size_of(p, p->last);
    out->piece = saros_allocate_zero((size_t)p->pieces.count + 1, sizeof *out->piece);
    if (!out->piece) return SAROS_ERR_MEMORY;
    out->pieces = p->pieces.count;
    for (int k = 0; k < p->pieces.count; ++k) {
        const list *l = terms_of(p, p->pieces.id[k]);
        saros_jacobian_piece *piece = &out->piece[k];
        piece->first = first;
        piece->of = saros_allocate((size_t)(l->count + 1) * sizeof *piece->of);
        if (!piece->of) return SAROS_ERR_MEMORY;
        for (int t = 0; t < l->count; ++t)
            piece->of[t] = (saros_jacobian_term){l->of[t].map->to, l->of[t].scale};
        piece->count = l->count;
        out->count += l->count;
        first += size_of(p, p->pieces.id[k]);
    }
    out->piece[p->pieces.count].first = first;
    out->element = p->pieces.element;
    out->maps = p->maps;
    p->pieces.element = NULL;
    p->maps = NULL;
    return SAROS_OK;
}

static void pass_end(pass *p, size_t values) {
    for (size_t k = 0; p->of && k < values; ++k) saros_release(p->of[k].of);
    saros_release(p->of);
    saros_release(p->reaches);
    saros_release(p->uniforms.of);
    saros_pieces_clear(&p->pieces);
    if (p->maps) saros_maps_clear(p->maps);
    saros_release(p->maps);
}

saros_status saros_jacobian_terms_find(saros_value y, saros_value x, saros_jacobian_terms *out,
                                       bool *found) {
    saros_status status = SAROS_OK;
    pass p = {.graph = y.graph, .first = x.id < y.id ? x.id : y.id, .last = y.id};
    size_t values = (size_t)(p.last - p.first) + 1;
    *found = false;
    *out = (saros_jacobian_terms){0};
    if (saros_value_dtype(x) != SAROS_F64 || saros_value_dtype(y) != SAROS_F64 ||
        saros_type_count(saros_value_type(x)) >= INT32_MAX)
        return SAROS_OK;
    p.found = true;
    p.of = saros_allocate_zero(values, sizeof *p.of);
    p.reaches = saros_allocate_zero(values, sizeof *p.reaches);
    p.maps = saros_allocate_zero(1, sizeof *p.maps);
    if (!p.of || !p.reaches || !p.maps) SAROS_TRY(SAROS_ERR_MEMORY);
    SAROS_TRY(saros_pieces_find(y, &p.pieces));
    mark(&p);
    if (x.id <= y.id) SAROS_TRY(seed(&p, x));
    for (int32_t id = x.id + 1; id <= y.id && p.found; ++id) SAROS_TRY(visit(&p, id));
    if (p.found) SAROS_TRY(hand_over(&p, out));
    *found = p.found;
done:
    if (status) saros_jacobian_terms_clear(out);
    pass_end(&p, values);
    return status;
}

void saros_jacobian_terms_clear(saros_jacobian_terms *terms) {
    if (terms->maps) saros_maps_clear(terms->maps);
    for (int k = 0; k < terms->pieces; ++k) saros_release(terms->piece[k].of);
    saros_release(terms->maps);
    saros_release(terms->piece);
    saros_release(terms->element);
    *terms = (saros_jacobian_terms){0};
}
