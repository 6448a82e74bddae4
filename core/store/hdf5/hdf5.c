/* Entering and leaving HDF5, its errors in our record, texts and types.
 *
 * The library is built without thread safety, so a lock is held from enter to leave. Its habit of
 * printing errors is switched off in between and put back afterwards, for the sake of a program
 * that uses HDF5 itself. */
#include "hdf5_impl.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

static pthread_mutex_t one_thread = PTHREAD_MUTEX_INITIALIZER;

void saros_hdf5_enter(saros_hdf5_scope *scope) {
    pthread_mutex_lock(&one_thread);
    scope->print = NULL;
    scope->print_data = NULL;
    scope->known = H5Eget_auto2(H5E_DEFAULT, &scope->print, &scope->print_data) >= 0;
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

void saros_hdf5_leave(const saros_hdf5_scope *scope) {
    H5Eclear2(H5E_DEFAULT);
    if (scope->known) H5Eset_auto2(H5E_DEFAULT, scope->print, scope->print_data);
    pthread_mutex_unlock(&one_thread);
}

/* The stack is walked from the call inwards: the last words seen are the cause. */
static herr_t keep_words(unsigned n, const H5E_error2_t *error, void *user) {
    (void)n;
    char *words = user;
    if (error->desc && error->desc[0]) snprintf(words, 200, "%s", error->desc);
    return 0;
}

saros_status saros_hdf5_check(int64_t code, const char *where, const char *path,
                              const char *doing) {
    if (code >= 0) return SAROS_OK;
    char words[200] = "no reason given";
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_DOWNWARD, keep_words, words);
    H5Eclear2(H5E_DEFAULT);
    return saros_fail(SAROS_ERR_IO, where, NULL, "%s in %s: %s", doing, path, words);
}

void saros_hdf5_close(hid_t id) {
    if (id >= 0) H5Idec_ref(id);
}

hid_t saros_hdf5_text_type(size_t bytes) {
    hid_t type = H5Tcopy(H5T_C_S1);
    if (type < 0) return type;
    if (H5Tset_size(type, bytes ? bytes : 1) < 0 || H5Tset_cset(type, H5T_CSET_UTF8) < 0) {
        H5Tclose(type);
        return H5I_INVALID_HID;
    }
    return type;
}

herr_t saros_hdf5_put_text(hid_t object, const char *name, const char *text) {
    hid_t type = saros_hdf5_text_type(strlen(text) + 1), space = H5Screate(H5S_SCALAR);
    hid_t attribute = type < 0 || space < 0
                          ? H5I_INVALID_HID
                          : H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    herr_t code = attribute < 0 ? -1 : H5Awrite(attribute, type, text);
    saros_hdf5_close(attribute);
    saros_hdf5_close(space);
    saros_hdf5_close(type);
    return code;
}

herr_t saros_hdf5_put_numbers(hid_t object, const char *name, hid_t type, hsize_t count,
                              const void *value) {
    hid_t space = count ? H5Screate_simple(1, &count, NULL) : H5Screate(H5S_SCALAR);
    hid_t attribute = space < 0 ? H5I_INVALID_HID
                                : H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    herr_t code = attribute < 0 ? -1 : H5Awrite(attribute, type, value);
    saros_hdf5_close(attribute);
    saros_hdf5_close(space);
    return code;
}

hid_t saros_hdf5_link_properties(void) {
    hid_t list = H5Pcreate(H5P_LINK_CREATE);
    if (list >= 0) H5Pset_create_intermediate_group(list, 1);
    return list;
}

/* h5py writes and reads booleans as this enumeration of 8-bit integers. */
static hid_t boolean_type(void) {
    hid_t type = H5Tenum_create(H5T_NATIVE_INT8);
    const int8_t no = 0, yes = 1;
    if (type >= 0 &&
        (H5Tenum_insert(type, "FALSE", &no) < 0 || H5Tenum_insert(type, "TRUE", &yes) < 0)) {
        H5Tclose(type);
        return H5I_INVALID_HID;
    }
    return type;
}

hid_t saros_hdf5_type(saros_dtype dtype) {
    switch (dtype) {
    case SAROS_F64:
        return H5Tcopy(H5T_NATIVE_DOUBLE);
    case SAROS_F32:
        return H5Tcopy(H5T_NATIVE_FLOAT);
    case SAROS_I64:
        return H5Tcopy(H5T_NATIVE_INT64);
    case SAROS_I32:
        return H5Tcopy(H5T_NATIVE_INT32);
    case SAROS_BOOL:
        return boolean_type();
    default:
        return H5I_INVALID_HID;
    }
}

int saros_hdf5_has(hid_t object, const char *name) {
    char part[1024];
    size_t length = strlen(name);
    if (length >= sizeof part) return 0;
    /* H5Lexists wants every group on the way to be there: ask for each in turn. */
    for (size_t k = 1; k <= length; ++k) {
        if (name[k] != '/' && name[k] != '\0') continue;
        memcpy(part, name, k);
        part[k] = '\0';
        if (H5Lexists(object, part, H5P_DEFAULT) <= 0) return 0;
    }
    return length > 0;
}
