/** Maps from elements of a value to elements of x, each kept once; and sources of a row cut into
 * layers. */
#ifndef SAROS_TERM_MAPS_IMPL_H
#define SAROS_TERM_MAPS_IMPL_H

#include "moves_impl.h"

/** Equal maps are one: compared by address. */
typedef struct saros_map {
    struct saros_map *next;
    uint64_t hash;
    int64_t count;
    int32_t to[]; /**< -1: none */
} saros_map;

enum { SAROS_MAP_BUCKETS = 256 };
typedef struct saros_maps {
    saros_map *bucket[SAROS_MAP_BUCKETS];
} saros_maps;

/** Room for a map; fill it, then hand it over. */
saros_map *saros_map_make(int64_t count);
/** The map with these numbers (`made` is consumed); NULL where all are -1. */
const saros_map *saros_map_keep(saros_maps *maps, saros_map *made);
void saros_maps_clear(saros_maps *maps);

/** A part of the sources of a row: at most one of each element, all with one weight. */
typedef struct saros_layer {
    double weight;
    int32_t *source; /**< -1: none */
} saros_layer;

enum { SAROS_MOST_LAYERS = 32 };
/** Cuts sources into as few layers as their order allows; `count` is -1 where they would be more
 * than SAROS_MOST_LAYERS. `layer` holds zeros at first; clear it also on failure. */
saros_status saros_layers_make(const saros_moves *moves, saros_layer layer[SAROS_MOST_LAYERS],
                               int *count);
void saros_layers_clear(saros_layer layer[SAROS_MOST_LAYERS]);

#endif
