/** Interning of types: a graph has few, its values many. */
#include "graph_impl.h"
#include "saros/memory.h"

static uint32_t hash_type(const saros_type *type) {
    uint64_t hash = (uint64_t)type->split << 32 | (uint64_t)type->dtype << 8 | (uint64_t)type->rank;
    for (int a = 0; a < type->rank; ++a) hash = saros_hash_mix(hash, (uint64_t)type->shape[a]);
    return (uint32_t)(saros_hash_mix(hash, 0) >> 16);
}

/** The slot that holds `type`, or the empty one where it goes. */
static const saros_type **slot_of(const saros_type **table, uint32_t slots,
                                  const saros_type *type) {
    uint32_t at = hash_type(type) & (slots - 1);
    while (table[at] && !saros_type_equal(table[at], type)) at = (at + 1) & (slots - 1);
    return &table[at];
}

static bool grow_table(saros_graph *graph) {
    if (graph->interned_count * 2 < graph->interned_slots) return true;
    uint32_t slots = graph->interned_slots ? graph->interned_slots * 2 : 16;
    const saros_type **table = saros_allocate_zero(slots, sizeof *table);
    if (!table) return false;
    for (uint32_t k = 0; k < graph->interned_slots; ++k)
        if (graph->interned[k]) *slot_of(table, slots, graph->interned[k]) = graph->interned[k];
    saros_release((void *)graph->interned);
    graph->interned = table;
    graph->interned_slots = slots;
    return true;
}

const saros_type *saros_graph_intern(saros_graph *graph, const saros_type *type) {
    if (!grow_table(graph)) return NULL;
    const saros_type **slot = slot_of(graph->interned, graph->interned_slots, type);
    if (*slot) return *slot;
    saros_type *copy = saros_graph_take(graph, sizeof *copy);
    if (!copy) return NULL;
    *copy = *type;
    graph->interned_count++;
    return *slot = copy;
}
