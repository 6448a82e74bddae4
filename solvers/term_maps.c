/** Maps kept once, and layers: bookkeeping of jacobian_terms.c on plain arrays of numbers. */
#include "term_maps_impl.h"

#include <string.h>

#include "saros/memory.h"

saros_map *saros_map_make(int64_t count) {
    saros_map *map = saros_allocate(sizeof *map + (size_t)count * sizeof *map->to);
    if (map) *map = (saros_map){.count = count};
    return map;
}

/* Four chains of multiplications (Knuth's), so that none waits for another. */
static uint64_t hash_of(const saros_map *map, bool *any) {
    uint64_t h[4] = {1, 2, 3, 4};
    int32_t all = -1;
    for (int64_t k = 0; k < map->count; ++k) {
        h[k & 3] = (h[k & 3] ^ (uint32_t)map->to[k]) * UINT64_C(6364136223846793005);
        all &= map->to[k];
    }
    *any = all != -1;
    return h[0] ^ h[1] >> 7 ^ h[2] >> 13 ^ h[3] >> 23;
}

const saros_map *saros_map_keep(saros_maps *maps, saros_map *made) {
    bool any;
    made->hash = hash_of(made, &any);
    saros_map **at = &maps->bucket[made->hash >> 32 & (SAROS_MAP_BUCKETS - 1)];
    for (const saros_map *m = any ? *at : NULL; m; m = m->next)
        if (m->hash == made->hash && m->count == made->count &&
            !memcmp(m->to, made->to, (size_t)made->count * sizeof *made->to)) {
            saros_release(made);
            return m;
        }
    if (!any) {
        saros_release(made);
        return NULL;
    }
    made->next = *at;
    return *at = made;
}

void saros_maps_clear(saros_maps *maps) {
    for (int k = 0; k < SAROS_MAP_BUCKETS; ++k)
        while (maps->bucket[k]) {
            saros_map *next = maps->bucket[k]->next;
            saros_release(maps->bucket[k]);
            maps->bucket[k] = next;
        }
}

/* The layer of weight w whose place for element e is free. */
static int layer_for(const saros_layer *layer, int count, double w, int64_t e) {
    for (int k = 0; k < count; ++k)
        if (layer[k].weight == w && layer[k].source[e] < 0) return k;
    return count;
}

static saros_status layer_open(saros_layer *layer, double weight, int64_t n) {
    layer->weight = weight;
    layer->source = saros_allocate((size_t)(n + 1) * sizeof *layer->source);
    if (!layer->source) return SAROS_ERR_MEMORY;
    memset(layer->source, -1, (size_t)n * sizeof *layer->source);
    return SAROS_OK;
}

saros_status saros_layers_make(const saros_moves *moves, saros_layer layer[SAROS_MOST_LAYERS],
                               int *count) {
    saros_status status = SAROS_OK;
    *count = 0;
    for (int64_t e = 0; e < moves->count; ++e)
        for (int64_t s = moves->start[e]; s < moves->start[e + 1]; ++s) {
            double w = moves->weight ? moves->weight[s] : 1;
            int k = layer_for(layer, *count, w, e);
            if (k == SAROS_MOST_LAYERS) {
                *count = -1;
                return SAROS_OK;
            }
            if (k == *count) {
                SAROS_TRY(layer_open(&layer[k], w, moves->count));
                ++*count;
            }
            layer[k].source[e] = moves->source[s];
        }
done:
    return status;
}

void saros_layers_clear(saros_layer layer[SAROS_MOST_LAYERS]) {
    for (int k = 0; k < SAROS_MOST_LAYERS; ++k) saros_release(layer[k].source);
}
