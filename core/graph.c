/** Graph: append-only records in growing arrays, an arena for what they point to, and a hash table
 * that finds an equal record.
 *
 *  Building resolves operands to ids (capturing where needed), looks for the same node, asks the
 * folding rules, types the node and appends it. Nothing is allocated per node but by doubling.
 * Leaves are in graph_leaf.c, reading in graph_read.c, bodies in graph_body.c. */
#include "graph_impl.h"

#include <string.h>

#include "saros/memory.h"
#include "saros/region.h"
#include "tensor_impl.h"

struct saros_graph_chunk {
    saros_graph_chunk *next;
    size_t bytes;
};

saros_status saros_graph_make(saros_graph **out) {
    saros_graph *graph = saros_allocate_zero(1, sizeof *graph);
    if (!graph) return SAROS_ERR_MEMORY;
    atomic_init(&graph->references, 1);
    graph->file = "";
    *out = graph;
    return SAROS_OK;
}

saros_graph *saros_graph_retain(saros_graph *graph) {
    if (graph) atomic_fetch_add_explicit(&graph->references, 1, memory_order_relaxed);
    return graph;
}

void saros_graph_release(saros_graph *graph) {
    if (!graph || atomic_fetch_sub_explicit(&graph->references, 1, memory_order_acq_rel) != 1)
        return;
    for (int32_t k = 0; k < graph->records; ++k) {
        const saros_graph_record *r = saros_graph_at(graph, k);
        saros_tensor_release(r->tensor);
        for (int32_t b = 0; b < r->bodies; ++b) saros_body_release(r->body[b]);
    }
    while (graph->chunk) {
        saros_graph_chunk *next = graph->chunk->next;
        saros_release(graph->chunk);
        graph->chunk = next;
    }
    saros_error_drop(graph->error);
    saros_release(graph->owner);
    saros_release((void *)graph->type);
    saros_release((void *)graph->interned);
    saros_release(graph->page);
    saros_release(graph->slot);
    saros_release(graph->input);
    saros_release(graph->memo);
    saros_release(graph->scratch);
    saros_release(graph->typing);
    saros_release(graph);
}

/* ---- memory ---- */

void *saros_graph_take(saros_graph *graph, size_t bytes) {
    bytes = (bytes + 7) & ~(size_t)7;
    if ((size_t)(graph->free_to - graph->free_from) < bytes) {
        size_t room = graph->chunk ? graph->chunk->bytes * 2 : 4096;
        if (room > (size_t)1 << 20) room = (size_t)1 << 20;
        if (room < bytes + 64) room = bytes + 64;
        saros_graph_chunk *chunk = saros_allocate(room);
        if (!chunk) return NULL;
        *chunk = (saros_graph_chunk){graph->chunk, room};
        graph->chunk = chunk;
        graph->free_from = (char *)(chunk + 1);
        graph->free_to = (char *)chunk + room;
    }
    void *memory = graph->free_from;
    graph->free_from += bytes;
    return memory;
}

static bool grow(void **array, int32_t *room, int32_t needed, size_t size) {
    if (needed <= *room) return true;
    int32_t larger = *room < 16 ? 32 : *room * 2;
    if (larger < needed) larger = needed;
    void *moved = saros_reallocate(*array, (size_t)larger * size);
    if (!moved) return false;
    *array = moved;
    *room = larger;
    return true;
}

/** Room for `outputs` more values and one more record. */
static bool grow_values(saros_graph *graph, int32_t outputs) {
    int32_t needed = graph->values + outputs, room = graph->value_room, types = graph->value_room;
    if (!grow((void **)&graph->owner, &room, needed, sizeof *graph->owner) ||
        !grow((void **)&graph->type, &types, needed, sizeof *graph->type))
        return false;
    graph->value_room = room; /* both arrays share one room */
    if (graph->records < graph->pages << SAROS_PAGE_BITS) return true;
    if (!grow((void **)&graph->page, &graph->page_room, graph->pages + 1, sizeof *graph->page))
        return false;
    saros_graph_record *page =
        saros_graph_take(graph, sizeof(saros_graph_record) << SAROS_PAGE_BITS);
    if (page) graph->page[graph->pages++] = page;
    return page != NULL;
}

static bool grow_table(saros_graph *graph) {
    if (graph->slots && (uint64_t)graph->merged * 2 < graph->slots) return true;
    uint32_t slots = graph->slots ? graph->slots * 2 : 64;
    saros_graph_slot *table = saros_allocate_zero(slots, sizeof *table);
    if (!table) return false;
    for (uint32_t k = 0; k < graph->slots; ++k) {
        if (!graph->slot[k].record) continue;
        uint32_t at = graph->slot[k].hash & (slots - 1);
        while (table[at].record) at = (at + 1) & (slots - 1);
        table[at] = graph->slot[k];
    }
    saros_release(graph->slot);
    graph->slot = table;
    graph->slots = slots;
    return true;
}

/* ---- keys ---- */

/** Same elements for ever: the same object, or headers of one shape over the same memory. */
static bool same_tensor(const saros_tensor *a, const saros_tensor *b) {
    if (a == b) return true;
    if (!a || !b || !a->storage || a->storage != b->storage || a->data != b->data) return false;
    if (a->dtype != b->dtype || a->rank != b->rank) return false;
    for (int k = 0; k < a->rank; ++k)
        if (a->shape[k] != b->shape[k] || a->strides[k] != b->strides[k]) return false;
    return true;
}

uint64_t saros_attributes_hash(const saros_attributes *attributes) {
    uint64_t hash = (uint64_t)attributes->words;
    for (int k = 0; k < attributes->words; ++k)
        hash = saros_hash_mix(hash, (uint64_t)attributes->word[k]);
    for (int k = 0; k < attributes->bodies; ++k)
        hash = saros_hash_mix(hash, attributes->body[k]->hash);
    const saros_tensor *tensor = attributes->tensor;
    if (tensor)
        hash = saros_hash_mix(hash, (uint64_t)(tensor->storage ? (uintptr_t)tensor->data
                                                               : (uintptr_t)(const void *)tensor));
    return hash;
}

bool saros_attributes_equal(const saros_attributes *a, const saros_attributes *b) {
    if (a->words != b->words || a->bodies != b->bodies || !same_tensor(a->tensor, b->tensor))
        return false;
    for (int k = 0; k < a->words; ++k)
        if (a->word[k] != b->word[k]) return false;
    for (int k = 0; k < a->bodies; ++k)
        if (!saros_body_equal(a->body[k], b->body[k])) return false;
    return true;
}

static uint32_t key_hash(const saros_primitive *row, const saros_attributes *attributes,
                         int32_t fence, int operands, const int32_t *operand) {
    uint64_t hash = saros_attributes_hash(attributes);
    hash = saros_hash_mix(hash, (uint64_t)(uintptr_t)(const void *)row);
    hash = saros_hash_mix(hash, (uint64_t)(uint32_t)fence << 32 | (uint32_t)operands);
    for (int k = 0; k < operands; ++k) hash = saros_hash_mix(hash, (uint64_t)(uint32_t)operand[k]);
    return (uint32_t)(hash >> 16);
}

static int32_t find(const saros_graph *graph, uint32_t hash, const saros_primitive *row,
                    const saros_attributes *attributes, int32_t fence, int operands,
                    const int32_t *operand) {
    if (!graph->slots) return -1;
    for (uint32_t at = hash & (graph->slots - 1); graph->slot[at].record;
         at = (at + 1) & (graph->slots - 1)) {
        if (graph->slot[at].hash != hash) continue;
        const saros_graph_record *r = saros_graph_at(graph, graph->slot[at].record - 1);
        if (r->row != row || r->fence != fence || r->operands != operands) continue;
        if (operands && memcmp(r->operand, operand, (size_t)operands * sizeof *operand) != 0)
            continue;
        saros_attributes other = saros_record_attributes(r);
        if (saros_attributes_equal(attributes, &other)) return r->output;
    }
    return -1;
}

bool saros_node_is_ordered(const saros_primitive *row, const saros_attributes *attributes) {
    if (row->flags & SAROS_ORDERED) return true;
    for (int k = 0; k < attributes->bodies; ++k)
        if (attributes->body[k]->graph->ordered) return true;
    return row == &saros_row_call && attributes->words > 2 && attributes->word[2];
}

/* ---- appending ---- */

/** Fills graph->typing[0 … outputs-1]; the number of outputs, or -1 with the error recorded. */
static int infer(saros_graph *graph, const saros_primitive *row, const saros_attributes *attributes,
                 int operands, const int32_t *operand) {
    int minimum = row->operands < 0 ? -row->operands - 1 : row->operands;
    if (operands < minimum || (row->operands >= 0 && operands != minimum)) {
        saros_fail(SAROS_ERR_USAGE, row->name, NULL, "got %d operands, needed %s%d", operands,
                   row->operands < 0 ? "at least " : "", minimum);
        return -1;
    }
    if (!grow((void **)&graph->typing, &graph->typing_room, SAROS_MAX_OUTPUTS + operands,
              sizeof *graph->typing))
        return -1;
    saros_type *in = graph->typing + SAROS_MAX_OUTPUTS;
    for (int k = 0; k < operands; ++k) in[k] = *graph->type[operand[k]];
    graph->typing[0] = (saros_type){.rank = 0};
    saros_typing typing = {row, attributes, operands, in, row->outputs, graph->typing};
    if (row->type(&typing) != SAROS_OK) return -1;
    if (typing.outputs < 0 || typing.outputs > SAROS_MAX_OUTPUTS) {
        saros_fail(SAROS_ERR_UNSUPPORTED, row->name, "use fewer outputs, or stack them",
                   "got %d outputs, at most %d fit", typing.outputs, SAROS_MAX_OUTPUTS);
        return -1;
    }
    return typing.outputs;
}

/** Copies what the record points to into the arena and retains it. */
static bool fill_record(saros_graph *graph, saros_graph_record *r,
                        const saros_attributes *attributes, int operands, const int32_t *operand) {
    size_t words = (size_t)attributes->words * sizeof(int64_t);
    size_t bodies = (size_t)attributes->bodies * sizeof(saros_body *);
    size_t ids = (size_t)operands * sizeof(int32_t);
    if (words + bodies + ids) {
        char *memory = saros_graph_take(graph, words + bodies + ids);
        if (!memory) return false;
        if (words) r->word = memcpy(memory, attributes->word, words);
        if (bodies) r->body = memcpy(memory + words, attributes->body, bodies);
        if (ids) r->operand = memcpy(memory + words + bodies, operand, ids);
    }
    r->words = attributes->words;
    r->bodies = attributes->bodies;
    r->operands = operands;
    r->tensor = saros_tensor_retain(attributes->tensor);
    for (int k = 0; k < attributes->bodies; ++k) saros_body_retain(attributes->body[k]);
    return true;
}

/** Sets the types of the values to come. Most nodes have the type of their first operand. */
static bool intern_outputs(saros_graph *graph, int32_t outputs, int operands,
                           const int32_t *operand) {
    const saros_type *like = operands ? graph->type[operand[0]] : NULL;
    for (int32_t k = 0; k < outputs; ++k) {
        const saros_type *type = &graph->typing[k];
        if (!like || !saros_type_equal(type, like)) like = saros_graph_intern(graph, type);
        if (!like) return false;
        graph->type[graph->values + k] = like;
    }
    return true;
}

static int32_t append(saros_graph *graph, saros_graph_record *r, const saros_attributes *attributes,
                      int operands, const int32_t *operand, bool merges) {
    if (graph->values > INT32_MAX - SAROS_MAX_OUTPUTS) {
        saros_fail(SAROS_ERR_MEMORY, "graph", NULL, "more than 2^31 values");
        return -1;
    }
    if (!grow_values(graph, r->outputs) || !grow_table(graph) ||
        !intern_outputs(graph, r->outputs, operands, operand) ||
        !fill_record(graph, r, attributes, operands, operand))
        return -1;
    r->output = graph->values;
    r->file = graph->file;
    r->line = graph->line;
    for (int k = 0; k < r->outputs; ++k) graph->owner[graph->values++] = graph->records;
    *saros_graph_at(graph, graph->records++) = *r;
    if (merges) {
        uint32_t at = r->hash & (graph->slots - 1);
        while (graph->slot[at].record) at = (at + 1) & (graph->slots - 1);
        graph->slot[at] = (saros_graph_slot){r->hash, graph->records};
        graph->merged++;
    }
    return r->output;
}

int32_t saros_graph_append(saros_graph *graph, const saros_primitive *row,
                           const saros_attributes *attributes, int operands,
                           const int32_t *operand) {
    int32_t sorted[8];
    if (row->flags & SAROS_COMMUTES && operands >= 2 && operands <= 8 && operand[0] > operand[1]) {
        memcpy(sorted, operand, (size_t)operands * sizeof *operand);
        sorted[0] = operand[1];
        sorted[1] = operand[0];
        operand = sorted;
    }
    bool ordered = saros_node_is_ordered(row, attributes);
    bool merges = !ordered && !(row->flags & SAROS_DISTINCT);
    /* Leaves are the same value inside a fence and outside. */
    int32_t fence = operands ? graph->fence : 0;
    saros_graph_record r = {.row = row, .fence = fence};
    r.hash = key_hash(row, attributes, fence, operands, operand);
    if (merges) {
        int32_t known = find(graph, r.hash, row, attributes, fence, operands, operand);
        if (known >= 0) return known;
    }
    r.outputs = infer(graph, row, attributes, operands, operand);
    if (r.outputs < 0) return -1;
    if (merges && operands && r.outputs == 1) {
        saros_type type = graph->typing[0];
        int32_t simpler = saros_graph_fold(graph, row, attributes, operands, operand, &type);
        if (simpler >= 0) return simpler;
        graph->typing[0] = type; /* folding may have typed a constant */
    }
    graph->ordered |= ordered;
    return append(graph, &r, attributes, operands, operand, merges);
}

int32_t saros_graph_resolve(saros_graph *graph, saros_value value) {
    if (value.graph == graph && value.id >= 0) return value.id;
    if (saros_is_none(value)) {
        saros_fail(SAROS_ERR_INTERNAL, "saros_build", NULL,
                   "the symbolic zero was used as an operand");
        return -1;
    }
    if (value.id < 0) {
        saros_graph_status(value.graph);
        return -1;
    }
    for (const saros_graph *g = graph->outer; g; g = g->outer)
        if (g == value.graph) return saros_graph_capture(graph, value);
    saros_fail(SAROS_ERR_USAGE, "saros_build", "build both in one graph",
               "operands belong to unrelated graphs");
    return -1;
}

saros_value saros_build(saros_graph *graph, const saros_primitive *row,
                        const saros_attributes *attributes, int operands,
                        const saros_value *operand) {
    static const saros_attributes none = {0};
    if (!graph) return SAROS_NONE;
    if (!attributes) attributes = &none;
    int32_t few[16], *ids = few;
    if (operands > 16) {
        if (!grow((void **)&graph->scratch, &graph->scratch_room, operands, sizeof *ids))
            return saros_poison(graph);
        ids = graph->scratch;
    }
    for (int k = 0; k < operands; ++k) {
        ids[k] = saros_graph_resolve(graph, operand[k]);
        if (ids[k] < 0) return saros_poison(graph);
    }
    int32_t id = saros_graph_append(graph, row, attributes, operands, ids);
    return id < 0 ? saros_poison(graph) : (saros_value){graph, id};
}

saros_value saros_poison(saros_graph *graph) {
    if (!graph) return SAROS_NONE;
    if (!graph->error) {
        if (saros_error_last()->status == SAROS_OK)
            saros_fail(SAROS_ERR_INTERNAL, "saros_poison", NULL,
                       "a value was poisoned without an error");
        saros_error_locate(graph->file, graph->line);
        graph->error = saros_error_park();
    }
    return (saros_value){graph, -1};
}

saros_status saros_graph_status(const saros_graph *graph) {
    return saros_error_restore(graph->error);
}
