/** HDF5 store: results with dimension scales, attributes, provenance; flushed at each output;
 * `complete` set last. Layout: shared by h5py, xarray, ParaView (VTKHDF group). See
 * docs/architecture.md.
 */
#ifndef SAROS_STORE_H
#define SAROS_STORE_H

#include "saros/tensor.h"

typedef struct saros_store saros_store;

typedef struct saros_store_scale {
    const char *name; /**< "t", "x", "y", "z" */
    const char *units, *long_name;
    int64_t count;
    const double *value;
} saros_store_scale;

/** Creates `path` (an error if it exists unless `overwrite`): root attributes, scales (time first
 * if there is one; time may be unlimited: count 0), `complete` = 0. Errors: IO naming the path. */
SAROS_API saros_status saros_store_create(const char *path, bool overwrite, const char *title,
                                          int scales, const saros_store_scale *scale,
                                          saros_store **out);
/** Declares a variable over all scales in order (time chunked, one output a chunk). */
SAROS_API saros_status saros_store_variable(saros_store *store, const char *name, const char *units,
                                            const char *long_name);
/** Appends one time level: extends t and writes every variable's slab; tensors have the shape of
 * the space scales; then flushes. Steady files (no time scale): called once, t ignored. `tensor` in
 * order of declaration. */
SAROS_API saros_status saros_store_append(saros_store *store, double t, int variables,
                                          saros_tensor *const *tensor);
/** Text under /provenance. */
SAROS_API saros_status saros_store_note(saros_store *store, const char *name, const char *text);
/** Append-only series under /history. */
SAROS_API saros_status saros_store_series(saros_store *store, const char *name, int64_t count,
                                          const double *value);
/** Dataset of any shape at `path_in_file`, for parameters and the like. */
SAROS_API saros_status saros_store_dataset(saros_store *store, const char *path_in_file,
                                           saros_tensor *tensor);
/** VTKHDF group of hard links, NAME.xdmf beside it, sets `complete` = 1, closes. The store is
 * consumed, also on failure. */
SAROS_API saros_status saros_store_finish(saros_store *store);
/** Closes without `complete`. NULL allowed. */
SAROS_API void saros_store_abandon(saros_store *store);

/** SHA-256 (FIPS 180-4) of `bytes` bytes as 64 hexadecimal digits; `/provenance` carries the
 * script's.
 */
SAROS_API void saros_sha256(const void *data, size_t bytes, char digest[65]);

/* ---- read ---- */
typedef struct saros_store_reader saros_store_reader;
SAROS_API saros_status saros_store_open(const char *path, saros_store_reader **out);
SAROS_API void saros_store_close(saros_store_reader *reader);
SAROS_API saros_status saros_store_read(saros_store_reader *reader, const char *path_in_file,
                                        saros_tensor **out);
/** Text dataset or string attribute "/path@name"; release with saros_release. */
SAROS_API saros_status saros_store_text(saros_store_reader *reader, const char *path_in_file,
                                        char **out);
/** Readable tree (names, shapes, min, max, NaN count, attributes) into a text to release with
 * saros_release. */
SAROS_API saros_status saros_store_inspect(const char *path, char **out);
/** Variables (datasets with scales attached) in file order; release the array with saros_release
 * (strings live in the reader). */
SAROS_API saros_status saros_store_variables(saros_store_reader *reader, int *count,
                                             const char ***names);

#endif
