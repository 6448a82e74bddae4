/* What the sources of the store share: entering and leaving HDF5, errors with HDF5's own words,
 * texts and types. Every public call enters once, so the library is silent and used by one thread
 * at a time. */
#ifndef SAROS_HDF5_IMPL_H
#define SAROS_HDF5_IMPL_H

#include <hdf5.h>

#include "saros/store.h"

/** What enter found and leave puts back: HDF5's automatic error printing. */
typedef struct saros_hdf5_scope {
    H5E_auto2_t print;
    void *print_data;
    int known;
} saros_hdf5_scope;

void saros_hdf5_enter(saros_hdf5_scope *scope);
void saros_hdf5_leave(const saros_hdf5_scope *scope);

/** SAROS_OK if `code` is not negative, else an IO error: "`doing` in `path`: <innermost words of
 * HDF5>". */
saros_status saros_hdf5_check(int64_t code, const char *where, const char *path, const char *doing);
/** Closes any identifier but a file's; negative ones are ignored. */
void saros_hdf5_close(hid_t id);

/** Fixed-length UTF-8 string type of `bytes` (at least 1). The caller closes it. */
hid_t saros_hdf5_text_type(size_t bytes);
/** Attribute of `object` holding `text`. Negative on failure, as HDF5's own calls. */
herr_t saros_hdf5_put_text(hid_t object, const char *name, const char *text);
/** Attribute of `object` holding `count` numbers of native type `type`; count 0 makes a scalar. */
herr_t saros_hdf5_put_numbers(hid_t object, const char *name, hid_t type, hsize_t count,
                              const void *value);
/** Link creation property list: makes missing groups on the way. */
hid_t saros_hdf5_link_properties(void);
/** Memory and file type for a dtype (bool is h5py's enumeration); negative for opaque. The caller
 * closes it. */
hid_t saros_hdf5_type(saros_dtype dtype);
/** Whether `name` is present under `object` ("/"-separated, any depth). */
int saros_hdf5_has(hid_t object, const char *name);

/** Text, or a whole number in words, of an open attribute or dataset, to release with
 * saros_release; NULL if it is neither. */
char *saros_hdf5_read_text(hid_t from, int is_attribute);
/** The open file of a reader. */
hid_t saros_store_reader_file(const saros_store_reader *reader);

/* ---- the writer's state, shared by write.c and finish.c ---- */
typedef struct saros_store_column {
    char *name;
    hid_t id;
} saros_store_column;

struct saros_store {
    hid_t file;
    char *path;
    int scales; /**< all axes, time included */
    saros_store_column scale[SAROS_MAX_RANK];
    int64_t extent[SAROS_MAX_RANK]; /**< of time: the most levels it may have, 0 without limit */
    double origin[SAROS_MAX_RANK], spacing[SAROS_MAX_RANK];
    int timed;      /**< scale 0 is time */
    int uniform;    /**< every space axis is equally spaced */
    int64_t levels; /**< appended so far */
    int variables;
    saros_store_column *variable;
};

/** Closes everything and frees. */
void saros_store_free(saros_store *store);
/** Scalar text dataset /provenance/`name`. */
saros_status saros_store_put_note(saros_store *store, const char *name, const char *text);
/** UTC now as "2031-05-17T12:00:00Z". */
void saros_store_now(char text[32]);
/** NAME.xdmf beside NAME.h5, into memory to release with saros_release; NULL if out of memory. */
char *saros_store_xdmf_path(const char *path);
/** Writes the XDMF description of the file. */
saros_status saros_store_write_xdmf(const saros_store *store);
/** Writes the /VTKHDF group. */
saros_status saros_store_write_vtkhdf(const saros_store *store);

#endif
