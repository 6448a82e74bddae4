/** Memory plan: offsets of values in one arena from the steps in which they live.
 *
 *  Values are placed in order of birth, each in the smallest free gap that holds it, else at the
 * end; a gap is free once its value's last step is over, so that no step writes over what it reads.
 * Free gaps are kept sorted by offset and joined with their neighbours. */
#include <stdlib.h>
#include <string.h>

#include "function_impl.h"
#include "saros/memory.h"

typedef struct gap {
    int64_t offset, bytes;
} gap;

typedef struct plan {
    gap *gap;
    int32_t gaps;
    int64_t end; /* arena bytes so far */
    int32_t *heap;
    int32_t heaped; /* living intervals, the one that ends first on top */
    const saros_interval *interval;
} plan;

static void remove_gap(plan *p, int32_t k) {
    memmove(&p->gap[k], &p->gap[k + 1], (size_t)(p->gaps - k - 1) * sizeof(gap));
    p->gaps--;
}

static void give(plan *p, int64_t offset, int64_t bytes) {
    int32_t low = 0, high = p->gaps;
    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        if (p->gap[middle].offset < offset)
            low = middle + 1;
        else
            high = middle;
    }
    bool joins_next = low < p->gaps && offset + bytes == p->gap[low].offset;
    bool joins_last = low > 0 && p->gap[low - 1].offset + p->gap[low - 1].bytes == offset;
    if (joins_last && joins_next) {
        p->gap[low - 1].bytes += bytes + p->gap[low].bytes;
        remove_gap(p, low);
    } else if (joins_last) {
        p->gap[low - 1].bytes += bytes;
    } else if (joins_next) {
        p->gap[low].offset = offset;
        p->gap[low].bytes += bytes;
    } else {
        memmove(&p->gap[low + 1], &p->gap[low], (size_t)(p->gaps - low) * sizeof(gap));
        p->gap[low] = (gap){offset, bytes};
        p->gaps++;
    }
}

static int64_t take(plan *p, int64_t bytes) {
    int32_t best = -1;
    for (int32_t k = 0; k < p->gaps; ++k)
        if (p->gap[k].bytes >= bytes && (best < 0 || p->gap[k].bytes < p->gap[best].bytes))
            best = k;
    if (best >= 0) {
        int64_t offset = p->gap[best].offset;
        p->gap[best].offset += bytes;
        p->gap[best].bytes -= bytes;
        if (p->gap[best].bytes == 0) remove_gap(p, best);
        return offset;
    }
    gap *last = p->gaps ? &p->gap[p->gaps - 1] : NULL;
    int64_t offset = p->end;
    if (last && last->offset + last->bytes == p->end) {
        offset = last->offset;
        p->gaps--;
    }
    p->end = offset + bytes;
    return offset;
}

static int32_t ends(const plan *p, int32_t at) {
    return p->interval[p->heap[at]].last;
}

static void heap_push(plan *p, int32_t index) {
    int32_t at = p->heaped++;
    p->heap[at] = index;
    while (at > 0 && ends(p, at) < ends(p, (at - 1) / 2)) {
        int32_t parent = (at - 1) / 2, other = p->heap[parent];
        p->heap[parent] = p->heap[at];
        p->heap[at] = other;
        at = parent;
    }
}

static int32_t heap_pop(plan *p) {
    int32_t top = p->heap[0], at = 0;
    p->heap[0] = p->heap[--p->heaped];
    for (;;) {
        int32_t least = at;
        for (int32_t child = 2 * at + 1; child <= 2 * at + 2; ++child)
            if (child < p->heaped && ends(p, child) < ends(p, least)) least = child;
        if (least == at) return top;
        int32_t other = p->heap[least];
        p->heap[least] = p->heap[at];
        p->heap[at] = other;
        at = least;
    }
}

saros_status saros_plan_memory(int32_t count, saros_interval *interval, size_t *arena_bytes) {
    plan p = {.interval = interval};
    saros_status status = SAROS_ERR_MEMORY;
    p.gap = saros_allocate(((size_t)count + 1) * sizeof(gap));
    p.heap = saros_allocate(((size_t)count + 1) * sizeof(int32_t));
    if (!p.gap || !p.heap) goto done;
    for (int32_t k = count - 1; k >= 0; --k) /* a chain of intervals lives as its first one */
        if (interval[k].over >= 0 && interval[interval[k].over].last < interval[k].last)
            interval[interval[k].over].last = interval[k].last;
    for (int32_t k = 0; k < count; ++k) {
        if (interval[k].over >= 0) {
            interval[k].offset = interval[interval[k].over].offset;
            continue;
        }
        while (p.heaped && ends(&p, 0) < interval[k].first) {
            int32_t over = heap_pop(&p);
            give(&p, interval[over].offset, interval[over].bytes);
        }
        interval[k].bytes = (interval[k].bytes + 63) & ~(int64_t)63;
        if (interval[k].bytes == 0) continue; /* at offset 0: never touched */
        interval[k].offset = take(&p, interval[k].bytes);
        heap_push(&p, k);
    }
    *arena_bytes = (size_t)p.end;
    status = SAROS_OK;
done:
    saros_release(p.gap);
    saros_release(p.heap);
    return status;
}
