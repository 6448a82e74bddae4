/** States that a reverse sweep holds, and when they are stored.
 *
 *  At most s carries x_j are held at once; the others are computed again from the nearest one held,
 * by the binomial schedule (Griewank and Walther, Algorithm 799: revolve, ACM TOMS 26, 2000): with
 * r the smallest number such that n <= b(s, r) = C(s+r, s), no iteration is run forward more than r
 * times, and
 *
 *      forward iterations = r n - C(s+r, r-1),
 *
 *  the fewest that any schedule for n known beforehand has. The loop itself is the first sweep of
 * the schedule: it leaves the states that it passes.
 *
 *  States form a stack. Those at its bottom live longest and are used least: they are the ones that
 * go to a file, where one is asked for. It has no name, so it ends with the process, however that
 * ends. */
#include "region_states_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "saros/memory.h"

/* ---- schedule ---- */

/** C(s+r, s), or INT64_MAX where it would pass 2^62. */
static int64_t binomial(int64_t s, int64_t r) {
    int64_t value = 1;
    for (int64_t k = 1; k <= r; ++k) {
        if (value > ((int64_t)1 << 62) / (s + k)) return INT64_MAX;
        value = value * (s + k) / k;
    }
    return value;
}

/* What remains behind the next state is done with s - 1 states and r repetitions, what lies before
 * it with s and r - 1. */
int64_t saros_states_stride(int64_t n, int64_t s) {
    int64_t r = 1;
    while (binomial(s, r) < n) ++r;
    int64_t before = binomial(s, r - 1), behind = n - binomial(s - 1, r - 1);
    return before < behind ? before : behind;
}

/* ---- the file ---- */

static saros_status file_fail(const saros_states *s, const char *what, int error) {
    return saros_fail(SAROS_ERR_IO, "loop", "name a folder with room, or hold fewer states there",
                      "cannot %s the file of %lld states of %lld bytes in %s: %s", what,
                      (long long)s->disk, (long long)s->bytes, s->folder, strerror(error));
}

static saros_status open_file(saros_states *s) {
    char path[4096];
    int length = snprintf(path, sizeof path, "%s/saros-states-XXXXXX", s->folder);
    if (length < 0 || (size_t)length >= sizeof path) return file_fail(s, "name", ENAMETOOLONG);
    s->file = mkostemp(path, O_CLOEXEC);
    if (s->file < 0) return file_fail(s, "make", errno);
    unlink(path);
    int error = posix_fallocate(s->file, 0, (off_t)(s->disk * s->bytes));
    return error && error != EOPNOTSUPP && error != EINVAL ? file_fail(s, "make room in", error)
                                                           : SAROS_OK;
}

/** Moves all of state k between the file and `data`. */
static saros_status move(const saros_states *s, int64_t k, char *data, bool write) {
    for (int64_t done = 0; done < s->bytes;) {
        size_t rest = (size_t)(s->bytes - done);
        off_t at = (off_t)((k - 1) * s->bytes + done);
        ssize_t moved =
            write ? pwrite(s->file, data + done, rest, at) : pread(s->file, data + done, rest, at);
        if (moved < 0 && errno == EINTR) continue;
        if (moved <= 0) return file_fail(s, write ? "write" : "read", moved ? errno : EIO);
        done += moved;
    }
    return SAROS_OK;
}

/* ---- the stack ---- */

saros_status saros_states_make(const saros_loop_view *view, int64_t n, int64_t bytes,
                               saros_states **out) {
    const int64_t all = n > 1 ? n : 1, asked = view->snapshots + view->disk;
    saros_status status = SAROS_ERR_MEMORY;
    saros_states *s = saros_allocate_zero(1, sizeof *s);
    if (!s) return status;
    s->file = -1;
    s->bytes = bytes;
    s->most = asked < all ? asked : all;
    s->disk = s->most > view->snapshots ? s->most - view->snapshots : 0;
    s->folder = view->folder;
    s->position = saros_allocate_zero((size_t)s->most, sizeof *s->position);
    s->memory = saros_allocate((size_t)((s->most - 1 - s->disk) * bytes));
    s->buffer = saros_allocate(s->disk ? 2 * (size_t)bytes : 0);
    if (!s->position || !s->memory || !s->buffer) goto done;
    status = s->disk && bytes ? open_file(s) : SAROS_OK;
done:
    if (status == SAROS_OK)
        *out = s;
    else
        saros_states_release(s);
    return status;
}

void saros_states_release(saros_states *s) {
    if (!s) return;
    if (s->file >= 0) close(s->file);
    saros_release(s->position);
    saros_release(s->memory);
    saros_release(s->buffer);
    saros_release(s);
}

char *saros_states_room(saros_states *s, int64_t k) {
    return k <= s->disk ? s->buffer + s->bytes : s->memory + (k - 1 - s->disk) * s->bytes;
}

saros_status saros_states_keep(saros_states *s, int64_t k) {
    if (k > s->disk) return SAROS_OK;
    if (s->read == k) s->read = 0;
    return move(s, k, s->buffer + s->bytes, true);
}

saros_status saros_states_find(saros_states *s, int64_t k, char **out) {
    *out = k <= s->disk ? s->buffer : saros_states_room(s, k);
    if (k > s->disk || s->read == k) return SAROS_OK;
    saros_status status = move(s, k, s->buffer, false);
    s->read = status == SAROS_OK ? k : 0;
    return status;
}

/* ---- as a value ---- */

static void release(void *payload) {
    saros_states_release(payload);
}

static const saros_opaque_class states_class = {.name = "states of a loop", .release = release};

saros_status saros_states_wrap(saros_states *states, saros_tensor **out) {
    return saros_tensor_opaque(&states_class, states, out);
}

saros_states *saros_states_of(const saros_tensor *tensor) {
    return saros_tensor_payload(tensor, &states_class);
}
