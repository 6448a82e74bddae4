/** How much memory there is to take, as Linux says it: of the machine (MemAvailable), and of every
 * control group that the process is in, version 1 or 2 (limit - usage + page cache that would be
 * given up).
 *
 *  An estimate from one moment: others take memory too. Elsewhere, free pages. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "saros/memory.h"

/** The number in the line of `path` that begins with `name` ("": the first line); -1: none. */
static int64_t number_in(const char *path, const char *name) {
    char line[256];
    long long value = -1;
    size_t length = strlen(name);
    FILE *file = fopen(path, "re");
    if (!file) return -1;
    while (value < 0 && fgets(line, sizeof line, file))
        if (strncmp(line, name, length) == 0 && sscanf(line + length, " %lld", &value) != 1 &&
            !length)
            break; /* "max" */
    fclose(file);
    return value;
}

static int64_t least(int64_t a, int64_t b) {
    return b < 0 || a < b ? a : b;
}

/** What the group in `folder` has left, or -1. */
static int64_t group_free(const char *folder, const char *limit, const char *usage,
                          const char *cache) {
    char path[4352];
    snprintf(path, sizeof path, "%s/%s", folder, limit);
    int64_t most = number_in(path, "");
    snprintf(path, sizeof path, "%s/%s", folder, usage);
    int64_t used = number_in(path, "");
    snprintf(path, sizeof path, "%s/memory.stat", folder);
    int64_t given_up = number_in(path, cache);
    if (most < 0 || used < 0) return -1;
    int64_t left = most - used + (given_up > 0 ? given_up : 0);
    return left > 0 ? left : 0;
}

/** Of the group `path` below `root` and all above it. */
static int64_t groups_free(const char *root, const char *path, bool second) {
    char folder[4096];
    int64_t free = INT64_MAX;
    snprintf(folder, sizeof folder, "%s%s", root, path);
    for (;;) {
        free = least(free,
                     second ? group_free(folder, "memory.max", "memory.current", "inactive_file ")
                            : group_free(folder, "memory.limit_in_bytes", "memory.usage_in_bytes",
                                         "total_inactive_file "));
        char *slash = strrchr(folder, '/');
        if (!slash || strlen(folder) <= strlen(root)) return free;
        *slash = 0;
    }
}

/** Over the lines of /proc/self/cgroup: "0::/path" and "7:memory:/path". */
static int64_t all_groups_free(void) {
    char line[4096];
    int64_t free = INT64_MAX;
    FILE *file = fopen("/proc/self/cgroup", "re");
    while (file && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = 0;
        char *kind = strchr(line, ':'), *path = kind ? strchr(kind + 1, ':') : NULL;
        if (!path) continue;
        *path++ = 0;
        if (!kind[1])
            free = least(free, groups_free("/sys/fs/cgroup", path, true));
        else if (strstr(kind + 1, "memory"))
            free = least(free, groups_free("/sys/fs/cgroup/memory", path, false));
    }
    if (file) fclose(file);
    return free;
}

/** SAROS_MEMORY: bytes, or with K, M or G; -1: not set, or no number. */
static int64_t told(void) {
    const char *text = getenv("SAROS_MEMORY");
    char *end = NULL;
    double value = text ? strtod(text, &end) : -1;
    if (!text || end == text || !(value >= 0)) return -1;
    const char *const units = "KMG", *unit = *end ? strchr(units, *end) : NULL;
    for (; unit && unit >= units; --unit) value *= 1024;
    return value < 0x1p62 ? (int64_t)value : INT64_MAX;
}

int64_t saros_memory_free(void) {
    int64_t given = told();
    if (given >= 0) return given;
    int64_t available = number_in("/proc/meminfo", "MemAvailable:");
    int64_t free = available >= 0
                       ? available * 1024
                       : (int64_t)sysconf(_SC_AVPHYS_PAGES) * (int64_t)sysconf(_SC_PAGESIZE);
    return least(free, all_groups_free());
}
