/** Lowering of contractions for the compiled backend.
 *
 *  pack: with c = a b, b stored (n, k), the copy (k, n) of b is made once and shared by all
 * products with it; the code for tiles (xsmm.c) reads it without packing of its own. accumulate: x
 * + dot(a, b), where nothing else needs the product, adds in the memory of x. x is a product
 * itself, such a sum, or an input; into a kernel's result the sum goes for nothing as a part of the
 * kernel. Contractions over up to four elements are a0 b0 + a1 b1 + …, pointwise on views, so that
 * they become parts of the kernels around them.
 */
#include "gemm/lower_impl.h"

#include "gemm/gemm_impl.h"
#include "primitives/dot_impl.h"
#include "saros/memory.h"
#include "saros/ops.h"
#include "saros/rows.h"

enum { SUM_NONE, SUM_ROOT, SUM_PART };
enum {
    MOST_TERMS = 64, /* of a sum that becomes a chain */
    PACK_ROWS = 64,  /* rows of a from which packing b pays */
    FEW = 64         /* elements below which a product stays one */
};

typedef struct lowering {
    const saros_graph *from;
    saros_graph *to;
    int32_t *map, *uses; /* per value */
    int32_t *before;     /* per value, a product of a chain: what it is added to; -1: nothing */
    uint8_t *sum;        /* per record: root or part of a sum of a chain */
} lowering;

/** What stands for record r, or SAROS_NONE: its copy. */
typedef saros_value lowering_rule(const lowering *l, const saros_graph_record *r);

/** What a rule knows of the whole body. */
typedef void lowering_plan(const lowering *l, const bool *live);

static saros_status walk(const saros_body *body, lowering_plan *plan, lowering_rule *rule,
                         saros_body **out) {
    const saros_graph *g = body->graph;
    const size_t values = (size_t)g->values + 1;
    saros_status status = SAROS_ERR_MEMORY;
    lowering l = {.from = g};
    bool *live = saros_allocate_zero((size_t)g->records + 1, sizeof *live);
    saros_value *in = saros_allocate((size_t)saros_rewrite_operands(g) * sizeof *in);
    l.map = saros_allocate(values * sizeof *l.map);
    l.uses = saros_allocate_zero(values, sizeof *l.uses);
    l.before = saros_allocate(values * sizeof *l.before);
    l.sum = saros_allocate_zero((size_t)g->records + 1, sizeof *l.sum);
    if (saros_graph_make(&l.to) != SAROS_OK || !live || !in || !l.map || !l.uses || !l.before ||
        !l.sum)
        goto done;
    SAROS_TRY(saros_rewrite_mark(body, live));
    for (int32_t k = 0; k < g->values; ++k) l.map[k] = l.before[k] = -1;
    for (int k = 0; k < body->outputs; ++k) l.uses[body->output[k]]++;
    for (int32_t n = 0; n < g->records; ++n) {
        const saros_graph_record *r = saros_graph_at(g, n);
        for (int32_t k = 0; live[n] && k < r->operands; ++k) l.uses[r->operand[k]]++;
    }
    if (plan) plan(&l, live);
    saros_rewrite_declare(body, l.to, l.map);
    for (int32_t n = 0; n < g->records; ++n) {
        const saros_graph_record *r = saros_graph_at(g, n);
        if (!live[n] || r->row == &saros_row_input) continue;
        saros_graph_locate(l.to, r->file, r->line);
        l.to->fence = r->fence;
        if (l.to->fences < r->fence) l.to->fences = r->fence;
        const saros_value v = rule(&l, r);
        l.to->fence = 0;
        if (saros_is_none(v))
            saros_rewrite_copy(l.to, r, l.map, in, NULL);
        else
            l.map[r->output] = v.id;
    }
    status = saros_rewrite_close(body, l.to, l.map, out);
    l.to = NULL;
done:
    saros_graph_release(l.to);
    saros_release(live);
    saros_release(in);
    saros_release(l.map);
    saros_release(l.uses);
    saros_release(l.before);
    saros_release(l.sum);
    return status;
}

static saros_value mapped(const lowering *l, int32_t id) {
    return (saros_value){l->to, l->map[id]};
}

/* ---- pack ---- */

/** A product of two matrices (or of rows of several axes with one): c (m, n) over k. */
typedef struct product {
    saros_dot_side a, b;
    int64_t m, n, k;
} product;

static bool read_product(const saros_graph *g, const saros_graph_record *r, product *p) {
    if (r->row != &saros_row_dot) return false;
    const saros_type *a = g->type[r->operand[0]], *b = g->type[r->operand[1]];
    if (!saros_dtype_is_float(a->dtype) || a->split || b->split) return false;
    p->a = saros_dot_read(r->word, 0, a->rank);
    p->b = saros_dot_read(r->word, 1, b->rank);
    if (p->b.batches || p->b.contracts != 1 || p->b.frees != 1) return false;
    p->n = b->shape[p->b.free[0]];
    p->k = b->shape[p->b.contract[0]];
    p->m = saros_type_count(a);
    if (p->k > 0) p->m /= p->k;
    return p->m > 0 && p->n > 0 && p->k > 0;
}

/** Whether neighbours in memory are neighbours along axis `axis` of a value of rank 2: what makes
 * it is row-major but for permutations. */
static bool is_inner(const saros_graph *g, int32_t id, int axis) {
    for (;;) {
        const saros_graph_record *r = saros_graph_maker(g, id);
        if (r->row != &saros_row_permute) return axis == 1;
        axis = (int)r->word[axis];
        id = r->operand[0];
    }
}

static saros_value packed(const lowering *l, int32_t id, int first) {
    const saros_value b = mapped(l, id);
    const int64_t word = first;
    return saros_build_words(&saros_row_pack, 1, &word, 1, &b);
}

static saros_value pack_rule(const lowering *l, const saros_graph_record *r) {
    product p;
    if (!read_product(l->from, r, &p) || p.m < PACK_ROWS || p.k <= SAROS_GEMM_SHORT || p.n < 2 ||
        p.n > SAROS_GEMM_WIDTH || !is_inner(l->from, r->operand[1], p.b.contract[0]))
        return SAROS_NONE;
    const saros_value x[] = {mapped(l, r->operand[0]), packed(l, r->operand[1], p.b.contract[0])};
    const int64_t word[] = {1, 0, p.a.contract[0], 0};
    return saros_build_words(&saros_row_dot, 4, word, 2, x);
}

saros_status saros_gemm_pack(const saros_body *body, saros_body **out) {
    return walk(body, NULL, pack_rule, out);
}

/* ---- contractions over a few elements ---- */

static bool is_short(const lowering *l, const saros_graph_record *r) {
    product p;
    return read_product(l->from, r, &p) && p.k <= SAROS_GEMM_SHORT && p.a.frees == 1 &&
           p.m * p.n >= FEW;
}

/** Entry i of the contracted axis of a matrix, repeated along the other axis of the result. */
static saros_value entry(saros_value x, int contract, int64_t i, int axis, const int64_t *shape) {
    const saros_value line = saros_slice(x, contract, i, i + 1, 1);
    return saros_broadcast(saros_reshape(line, 1, &shape[axis]), 2, shape, &axis);
}

static saros_value short_sum(const lowering *l, const saros_graph_record *r) {
    product p;
    if (!read_product(l->from, r, &p)) return SAROS_NONE;
    const int64_t shape[2] = {p.m, p.n};
    const saros_value a = mapped(l, r->operand[0]);
    saros_value b = mapped(l, r->operand[1]), sum = SAROS_NONE;
    int contract = p.b.contract[0];
    if (p.k > 1 && is_inner(l->from, r->operand[1], contract)) { /* kernels read along n */
        b = packed(l, r->operand[1], contract);
        contract = 0;
    }
    for (int64_t i = 0; i < p.k; ++i) {
        const saros_value x = entry(a, p.a.contract[0], i, 0, shape);
        const saros_value y = entry(b, contract, i, 1, shape);
        sum = i ? saros_fma(x, y, sum) : saros_mul(x, y);
    }
    return sum;
}

/* ---- sums ---- */

/** Whether the value is a product that nothing but a sum needs. */
static bool is_product(const lowering *l, int32_t id) {
    const saros_graph_record *r = saros_graph_maker(l->from, id);
    return r->row == &saros_row_dot && l->uses[id] == 1 && !is_short(l, r);
}

static bool is_part(const lowering *l, int32_t id) {
    return saros_graph_maker(l->from, id)->row == &saros_row_add && l->uses[id] == 1;
}

/** Whether the value is an input in whose memory a sum may go on. */
static bool is_carried(const lowering *l, int32_t id) {
    return saros_graph_maker(l->from, id)->row == &saros_row_input && l->uses[id] == 1;
}

/** Terms of the sum with root r: products in the order in which they are made, then the others;
 * returns their number, 0 if there are too many. */
static int list_terms(const lowering *l, const saros_graph_record *r, int32_t *term,
                      int *products) {
    int32_t stack[MOST_TERMS];
    int depth = 0, n = 0;
    *products = 0;
    stack[depth++] = r->output;
    while (depth > 0) {
        const int32_t id = stack[--depth];
        if (id == r->output || is_part(l, id)) {
            if (depth + 2 > MOST_TERMS) return 0;
            for (int k = 1; k >= 0; --k)
                stack[depth++] = saros_graph_maker(l->from, id)->operand[k];
            continue;
        }
        if (n == MOST_TERMS) return 0;
        int at = n++;
        if (is_product(l, id)) {
            for (; at > *products; --at) term[at] = term[at - 1];
            for (; at > 0 && term[at - 1] > id; --at) term[at] = term[at - 1];
            ++*products;
        }
        term[at] = id;
    }
    return n;
}

/** The term that the first product is added to: an input; -1: none. */
static int32_t find_carried(const lowering *l, const int32_t *term, int products, int n) {
    for (int k = products; k < n; ++k)
        if (is_carried(l, term[k])) return term[k];
    return -1;
}

static void mark_parts(const lowering *l, const saros_graph_record *r) {
    int32_t stack[MOST_TERMS];
    int depth = 0;
    stack[depth++] = r->output;
    while (depth > 0) {
        const saros_graph_record *at = saros_graph_maker(l->from, stack[--depth]);
        l->sum[l->from->owner[at->output]] = at == r ? SUM_ROOT : SUM_PART;
        for (int k = 1; k >= 0; --k)
            if (is_part(l, at->operand[k])) stack[depth++] = at->operand[k];
    }
}

/** Links the products of every sum. */
static void plan_sums(const lowering *l, const bool *live) {
    for (int32_t n = l->from->records - 1; n >= 0; --n) {
        const saros_graph_record *r = saros_graph_at(l->from, n);
        int32_t term[MOST_TERMS];
        int products;
        if (!live[n] || r->row != &saros_row_add || l->sum[n] != SUM_NONE) continue;
        if (!saros_dtype_is_float(l->from->type[r->output]->dtype)) continue;
        const int terms = list_terms(l, r, term, &products);
        int32_t last = find_carried(l, term, products, terms);
        if (products + (last >= 0) < 2 || products < 1) continue;
        mark_parts(l, r);
        for (int k = 0; k < products; ++k) {
            l->before[term[k]] = last;
            last = term[k];
        }
    }
}

/** The last product of the chain and what else the sum has. */
static saros_value close_sum(const lowering *l, const saros_graph_record *r) {
    int32_t term[MOST_TERMS];
    int products;
    const int terms = list_terms(l, r, term, &products);
    const int32_t carried = find_carried(l, term, products, terms);
    saros_value sum = mapped(l, term[products - 1]);
    for (int k = products; k < terms; ++k)
        if (term[k] != carried) sum = saros_add(sum, mapped(l, term[k]));
    return sum;
}

static saros_value lower_rule(const lowering *l, const saros_graph_record *r) {
    const uint8_t sum = l->sum[l->from->owner[r->output]];
    if (sum == SUM_ROOT) return close_sum(l, r);
    if (sum == SUM_PART) return mapped(l, r->operand[0]); /* in its root's sum */
    if (r->row != &saros_row_dot) return SAROS_NONE;
    if (l->before[r->output] >= 0) {
        const saros_value x[] = {mapped(l, l->before[r->output]), mapped(l, r->operand[0]),
                                 mapped(l, r->operand[1])};
        return saros_build_words(&saros_row_accumulate, r->words, r->word, 3, x);
    }
    return is_short(l, r) ? short_sum(l, r) : SAROS_NONE;
}

saros_status saros_gemm_lower(const saros_body *body, saros_body **out) {
    return walk(body, plan_sums, lower_rule, out);
}
