/** Host memory: one replaceable allocator record, 64-byte aligned blocks.
 *
 *  Every block carries its size in a 64-byte header, so release needs no size from the caller and
 * the held bytes are known. */
#include "saros/memory.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "saros/status.h"

#ifdef __linux__
#include <sys/mman.h>
#endif

enum { ALIGNMENT = 64, HUGE_PAGE = 2 << 20 };

typedef struct header {
    size_t bytes; /* whole block, this header included */
} header;

/** Large arrays get huge pages where the system gives them when asked: touching a page first costs
 * about 2 us, and strided reading misses the table of 4 kB pages. A refusal does no harm. */
static void ask_for_huge_pages(char *raw, size_t bytes) {
#ifdef MADV_HUGEPAGE
    uintptr_t first = ((uintptr_t)raw + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
    uintptr_t end = ((uintptr_t)raw + bytes) / HUGE_PAGE * HUGE_PAGE;
    if (end > first) (void)madvise((void *)first, end - first, MADV_HUGEPAGE);
#else
    (void)raw, (void)bytes;
#endif
}

/** malloc is several times faster than aligned_alloc on small blocks (thread caches), so align by
 * hand: the byte before the block tells how far it lies behind malloc's. */
static void *default_allocate(size_t bytes, void *user) {
    (void)user;
    char *raw = malloc(bytes + ALIGNMENT);
    if (!raw) return NULL;
    if (bytes >= 2 * (size_t)HUGE_PAGE) ask_for_huge_pages(raw, bytes + ALIGNMENT);
    size_t shift = ALIGNMENT - (uintptr_t)raw % ALIGNMENT;
    raw[shift - 1] = (char)shift;
    return raw + shift;
}
static void default_release(void *memory, size_t bytes, void *user) {
    (void)bytes;
    (void)user;
    char *block = memory;
    free(block - (unsigned char)block[-1]);
}

static const saros_allocator default_allocator = {default_allocate, default_release, NULL};
static saros_allocator allocator = {default_allocate, default_release, NULL};
static atomic_int_least64_t held;

void saros_allocator_set(const saros_allocator *replacement) {
    allocator = replacement ? *replacement : default_allocator;
}

static header *header_of(void *memory) {
    return (header *)(void *)((char *)memory - ALIGNMENT);
}

static bool too_large(size_t bytes) {
    return bytes > (size_t)PTRDIFF_MAX - 2 * (size_t)ALIGNMENT;
}

static void *no_memory(size_t bytes) {
    saros_fail(SAROS_ERR_MEMORY, "saros_allocate", "use smaller arrays or a larger machine",
               "%.3g MB could not be allocated (%.3g MB held)", (double)bytes / 1e6,
               (double)saros_memory_held() / 1e6);
    return NULL;
}

void *saros_allocate(size_t bytes) {
    if (too_large(bytes)) return no_memory(bytes);
    size_t whole = (bytes + 2 * (size_t)ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    header *block = allocator.allocate(whole, allocator.user);
    if (!block) return no_memory(bytes);
    block->bytes = whole;
    atomic_fetch_add_explicit(&held, (int64_t)whole, memory_order_relaxed);
    return (char *)block + ALIGNMENT;
}

void *saros_allocate_zero(size_t count, size_t size) {
    if (size && count > (size_t)PTRDIFF_MAX / size) return no_memory(SIZE_MAX);
    void *memory = saros_allocate(count * size);
    if (memory) memset(memory, 0, count * size);
    return memory;
}

void *saros_reallocate(void *memory, size_t bytes) {
    if (!memory) return saros_allocate(bytes);
    size_t room = header_of(memory)->bytes - ALIGNMENT;
    if (bytes <= room && bytes >= room / 2) return memory;
    void *moved = saros_allocate(bytes);
    if (!moved) return NULL;
    memcpy(moved, memory, bytes < room ? bytes : room);
    saros_release(memory);
    return moved;
}

void saros_release(void *memory) {
    if (!memory) return;
    header *block = header_of(memory);
    size_t whole = block->bytes;
    atomic_fetch_sub_explicit(&held, (int64_t)whole, memory_order_relaxed);
    allocator.release(block, whole, allocator.user);
}

char *saros_string_copy(const char *text) {
    size_t bytes = strlen(text) + 1;
    char *copy = saros_allocate(bytes);
    if (copy) memcpy(copy, text, bytes);
    return copy;
}

int64_t saros_memory_held(void) {
    return atomic_load_explicit(&held, memory_order_relaxed);
}
