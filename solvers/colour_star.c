/** Star colouring of symmetric patterns: a Hessian from products with sums of columns, directly.
 *
 *  The pattern is a graph, an edge for each entry beside the diagonal. Adjacent vertices differ in
 * colour, and no path of four vertices has only two, so that two colours together leave stars
 * (Coleman and Moré 1984; Gebremedhin, Tarafdar, Manne and Pothen 2007). With d_c the sum of the
 * unit vectors of colour c, an entry of row i and column j is then (H d_c(j))_i or, where another
 * neighbour of i has the colour of j, (H d_c(i))_j.
 *
 *  Greedy: vertex v takes the least colour that no neighbour w has and that closes no path v w x y
 * or u v w x of two colours. Each vertex keeps the colours among its neighbours, how often, and one
 * neighbour of each: a path closes through w and colour c if the only neighbour x of w with colour
 * c has another neighbour with the colour of w, or if v has another neighbour with the colour of w.
 * Two orders are tried, as it stands and smallest degree last (Matula and Beck 1983), then linear
 * forms of the position, which colour grids (colour_lattice.c: columns of a colour share no row
 * there, which is more than is needed).
 */
#include <string.h>

#include "saros/memory.h"
#include "sparse_impl.h"

/* A colour among the neighbours of a vertex. */
typedef struct meeting {
    int colour, count;
    int64_t one; /* a neighbour that has it */
} meeting;

typedef struct star {
    const saros_sparsity *p;
    int *of; /* colour of each vertex, -1 yet */
    int colours;
    meeting *met; /* room of a row for each vertex, at p->row[v] */
    int *mets;    /* how many are in use */
    int64_t *taken_by;
} star;

static meeting *meeting_of(const star *s, int64_t v, int colour) {
    meeting *met = s->met + s->p->row[v];
    for (int k = 0; k < s->mets[v]; ++k)
        if (met[k].colour == colour) return &met[k];
    return NULL;
}

/* Colours that v cannot have because of its neighbour w. */
static void paths_close(star *s, int64_t v, int64_t w) {
    bool shared = meeting_of(s, v, s->of[w])->count > 1;
    const meeting *met = s->met + s->p->row[w];
    for (int k = 0; k < s->mets[w]; ++k) {
        int colour = met[k].colour;
        if (s->taken_by[colour] == v) continue;
        bool ends = met[k].count == 1 && meeting_of(s, met[k].one, s->of[w])->count > 1;
        if (shared || ends) s->taken_by[colour] = v;
    }
}

static void vertex_colour(star *s, int64_t v) {
    const saros_sparsity *p = s->p;
    for (int64_t k = p->row[v]; k < p->row[v + 1]; ++k)
        if (p->column[k] != v && s->of[p->column[k]] >= 0) s->taken_by[s->of[p->column[k]]] = v;
    for (int64_t k = p->row[v]; k < p->row[v + 1]; ++k)
        if (p->column[k] != v && s->of[p->column[k]] >= 0) paths_close(s, v, p->column[k]);
    int colour = 0;
    while (s->taken_by[colour] == v) colour++;
    s->of[v] = colour;
    if (colour >= s->colours) s->colours = colour + 1;
    for (int64_t k = p->row[v]; k < p->row[v + 1]; ++k) {
        int64_t w = p->column[k];
        if (w == v) continue;
        meeting *met = meeting_of(s, w, colour);
        if (!met) {
            met = s->met + p->row[w] + s->mets[w]++;
            *met = (meeting){.colour = colour};
        }
        met->count++;
        met->one = v;
    }
}

/* Colours in the given order (NULL: as they stand); keeps the result if it has fewer colours. */
static saros_status colour_in_order(const saros_sparsity *p, const int64_t *order, int *of_column,
                                    int *colours) {
    size_t n = (size_t)p->n;
    saros_status status = SAROS_OK;
    star s = {.p = p};
    s.of = saros_allocate(n * sizeof *s.of + 1);
    s.mets = saros_allocate_zero(n + 1, sizeof *s.mets);
    s.met = saros_allocate((size_t)(p->nonzeros + 1) * sizeof *s.met);
    s.taken_by = saros_allocate((n + 1) * sizeof *s.taken_by);
    if (!s.of || !s.mets || !s.met || !s.taken_by) SAROS_TRY(SAROS_ERR_MEMORY);
    for (size_t v = 0; v < n; ++v) s.of[v] = -1;
    for (size_t v = 0; v <= n; ++v) s.taken_by[v] = -1;
    for (int64_t k = 0; k < p->n; ++k) vertex_colour(&s, order ? order[k] : k);
    if (s.colours < *colours) {
        memcpy(of_column, s.of, n * sizeof *s.of);
        *colours = s.colours;
    }
done:
    saros_release(s.of);
    saros_release(s.mets);
    saros_release(s.met);
    saros_release(s.taken_by);
    return status;
}

/* Vertices listed by degree among those that remain: doubly linked, one list a degree. */
typedef struct degrees {
    int64_t *first, *next, *before, *degree; /* degree: -1 once removed */
} degrees;

static void degree_add(degrees *d, int64_t v) {
    int64_t head = d->first[d->degree[v]];
    d->next[v] = head;
    d->before[v] = -1;
    if (head >= 0) d->before[head] = v;
    d->first[d->degree[v]] = v;
}

static void degree_remove(degrees *d, int64_t v) {
    if (d->next[v] >= 0) d->before[d->next[v]] = d->before[v];
    if (d->before[v] >= 0)
        d->next[d->before[v]] = d->next[v];
    else
        d->first[d->degree[v]] = d->next[v];
}

/* The order in which the vertex of least degree among those before comes last. */
static saros_status smallest_last(const saros_sparsity *p, int64_t *order) {
    int64_t n = p->n, least = 0;
    int64_t *memory = saros_allocate((size_t)(4 * n + 1) * sizeof *memory);
    if (!memory) return SAROS_ERR_MEMORY;
    degrees d = {memory, memory + n, memory + 2 * n, memory + 3 * n};
    for (int64_t v = 0; v < n; ++v) d.first[v] = -1;
    for (int64_t v = 0; v < n; ++v) {
        d.degree[v] = -1; /* not counting itself: patterns here have their diagonal */
        for (int64_t k = p->row[v]; k < p->row[v + 1]; ++k) d.degree[v]++;
        degree_add(&d, v);
    }
    for (int64_t last = n - 1; last >= 0; --last) {
        while (d.first[least] < 0) least++;
        int64_t v = d.first[least];
        degree_remove(&d, v);
        d.degree[v] = -1;
        order[last] = v;
        for (int64_t k = p->row[v]; k < p->row[v + 1]; ++k) {
            int64_t w = p->column[k];
            if (d.degree[w] < 0) continue;
            degree_remove(&d, w);
            d.degree[w]--;
            degree_add(&d, w);
        }
        if (least > 0) least--;
    }
    saros_release(memory);
    return SAROS_OK;
}

saros_status saros_colouring_star(const saros_sparsity *p, int *of_column, int *colours) {
    saros_status status = SAROS_OK;
    int64_t *order = NULL;
    for (int64_t j = 0; j < p->n; ++j) of_column[j] = (int)j;
    *colours = (int)p->n;
    /* greedy colouring of what is nearly dense takes long and gains little */
    if (p->n > 256 && 4 * p->nonzeros >= p->n * p->n) return SAROS_OK;
    order = saros_allocate((size_t)(p->n + 1) * sizeof *order);
    if (!order) return SAROS_ERR_MEMORY;
    SAROS_TRY(smallest_last(p, order));
    SAROS_TRY(colour_in_order(p, order, of_column, colours));
    SAROS_TRY(colour_in_order(p, NULL, of_column, colours));
    SAROS_TRY(saros_colouring_lattice(p, *colours, of_column, colours));
done:
    saros_release(order);
    return status;
}

saros_status saros_sparsity_colour_star(saros_sparsity *pattern, int *colours,
                                        int *colour_of_column) {
    saros_sparsity *symmetric = NULL, *whole = NULL;
    saros_status status = SAROS_OK;
    SAROS_TRY(saros_sparsity_with_diagonal(pattern, &whole));
    SAROS_TRY(saros_sparsity_symmetric(whole, &symmetric));
    if (symmetric->nonzeros != whole->nonzeros)
        status = saros_fail(SAROS_ERR_USAGE, "saros_sparsity_colour_star",
                            "use saros_sparsity_colour for Jacobians",
                            "the pattern is not symmetric: %lld of %lld entries are",
                            (long long)symmetric->nonzeros, (long long)whole->nonzeros);
    else
        status = saros_colouring_star(symmetric, colour_of_column, colours);
done:
    saros_sparsity_release(symmetric);
    saros_sparsity_release(whole);
    return status;
}

saros_status saros_colouring_star_entries(const saros_sparsity *p, const int *of_column,
                                          int colours, int64_t *from) {
    int *count = saros_allocate_zero((size_t)colours + 1, sizeof *count);
    if (!count) return SAROS_ERR_MEMORY;
    for (int64_t i = 0; i < p->n; ++i) {
        for (int64_t k = p->row[i]; k < p->row[i + 1]; ++k) count[of_column[p->column[k]]]++;
        for (int64_t k = p->row[i]; k < p->row[i + 1]; ++k) {
            int64_t j = p->column[k];
            bool alone = count[of_column[j]] == 1;
            from[k] = alone ? of_column[j] * p->n + i : of_column[i] * p->n + j;
        }
        for (int64_t k = p->row[i]; k < p->row[i + 1]; ++k) count[of_column[p->column[k]]] = 0;
    }
    saros_release(count);
    return SAROS_OK;
}
