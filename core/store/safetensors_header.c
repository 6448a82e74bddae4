/* The JSON header of a safetensors file: just the grammar the format has, read left to right
 * without recursion.
 *
 *      { "__metadata__": {text: text, …}, name: {"dtype": "F64", "shape": [n, …], "data_offsets":
 * [a, b]}, … }
 *
 * Anything else is an error that says at which byte. Not a general JSON reader. */
#include "safetensors_impl.h"

#include <string.h>

#include "saros/memory.h"

typedef struct cursor {
    const char *begin, *at, *end;
    const char *path;
} cursor;

static const char *const dtype_name[] = {
    [SAROS_F64] = "F64", [SAROS_F32] = "F32",   [SAROS_I64] = "I64",
    [SAROS_I32] = "I32", [SAROS_BOOL] = "BOOL",
};

const char *saros_safetensors_dtype(saros_dtype dtype) {
    return (size_t)dtype < sizeof dtype_name / sizeof *dtype_name ? dtype_name[dtype] : NULL;
}

static saros_status wrong(const cursor *c, const char *needed) {
    return saros_fail(SAROS_ERR_IO, "saros_safetensors_open", NULL,
                      "header of %s: needed %s at byte %lld", c->path, needed,
                      (long long)(c->at - c->begin));
}

static void skip_space(cursor *c) {
    while (c->at < c->end && strchr(" \t\n\r", *c->at) && *c->at) ++c->at;
}

/* true, and past it, if the next sign is `sign` */
static bool accept(cursor *c, char sign) {
    skip_space(c);
    if (c->at >= c->end || *c->at != sign) return false;
    ++c->at;
    return true;
}

static saros_status expect(cursor *c, char sign) {
    const char text[] = {'\'', sign, '\'', '\0'};
    return accept(c, sign) ? SAROS_OK : wrong(c, text);
}

/* Four hexadecimal digits; -1 if they are not. */
static int32_t read_hex(cursor *c) {
    int32_t code = 0;
    if (c->end - c->at < 4) return -1;
    for (int k = 0; k < 4; ++k) {
        static const char digits[] = "0123456789abcdefABCDEF";
        const char *digit = *c->at ? strchr(digits, *c->at) : NULL;
        if (!digit) return -1;
        int value = (int)(digit - digits);
        code = code * 16 + (value < 16 ? value : value - 6);
        ++c->at;
    }
    return code;
}

/* Code point `code` as UTF-8 at `to`; returns the number of bytes. */
static size_t put_utf8(int32_t code, char *to) {
    if (code < 0x80) {
        to[0] = (char)code;
        return 1;
    }
    const int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const int lead[] = {0, 0xc0, 0xe0, 0xf0};
    to[0] = (char)(lead[more] | code >> 6 * more);
    for (int k = 1; k <= more; ++k) to[k] = (char)(0x80 | (code >> 6 * (more - k) & 0x3f));
    return (size_t)more + 1;
}

/* After "\u": a code point, from a pair of surrogates if need be; -1 if it is none (or zero, which
 * ends C's strings).
 */
static int32_t read_code_point(cursor *c) {
    int32_t code = read_hex(c);
    if (code >= 0xd800 && code < 0xdc00) {
        if (c->end - c->at < 2 || c->at[0] != '\\' || c->at[1] != 'u') return -1;
        c->at += 2;
        int32_t low = read_hex(c);
        if (low < 0xdc00 || low > 0xdfff) return -1;
        return 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    return code >= 0xdc00 && code <= 0xdfff ? -1 : code ? code : -1;
}

/* Reads one escape after the backslash into `to`; returns its bytes, 0 if it is wrong. */
static size_t read_escape(cursor *c, char *to) {
    static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
    if (c->at >= c->end) return 0;
    const char sign = *c->at++;
    if (sign == 'u') {
        int32_t code = read_code_point(c);
        return code > 0 ? put_utf8(code, to) : 0;
    }
    const char *known = sign ? strchr(from, sign) : NULL;
    if (!known) return 0;
    to[0] = into[known - from];
    return 1;
}

/* A string, into memory to release with saros_release. Never longer than its source. */
static saros_status read_string(cursor *c, char **out) {
    if (!accept(c, '"')) return wrong(c, "a text");
    const char *stop = c->at;
    while (stop < c->end && *stop != '"') {
        if (*stop == '\\') ++stop;
        if (stop < c->end) ++stop;
    }
    if (stop >= c->end) return wrong(c, "the end of a text");
    char *text = saros_allocate((size_t)(stop - c->at) + 1);
    size_t length = 0;
    if (!text) return SAROS_ERR_MEMORY;
    while (*c->at != '"') {
        size_t bytes = 1;
        if ((unsigned char)*c->at < 0x20)
            bytes = 0; /* control signs must be escaped */
        else if (*c->at == '\\')
            ++c->at, bytes = read_escape(c, text + length);
        else
            text[length] = *c->at++;
        if (bytes == 0 || c->at > stop) {
            saros_release(text);
            return wrong(c, "a text without bad escapes");
        }
        length += bytes;
    }
    ++c->at;
    text[length] = '\0';
    *out = text;
    return SAROS_OK;
}

static saros_status read_number(cursor *c, uint64_t *out) {
    uint64_t value = 0;
    skip_space(c);
    const char *start = c->at;
    while (c->at < c->end && *c->at >= '0' && *c->at <= '9') {
        const uint64_t digit = (uint64_t)(*c->at - '0');
        if (value > ((uint64_t)INT64_MAX - digit) / 10) return wrong(c, "a number below 2^63");
        value = value * 10 + digit;
        ++c->at;
    }
    if (c->at == start || (*start == '0' && c->at > start + 1))
        return wrong(c, "a whole number that is not negative");
    *out = value;
    return SAROS_OK;
}

/* [n, …] of at most `most` numbers */
static saros_status read_numbers(cursor *c, int most, uint64_t *value, int *count) {
    saros_status status = SAROS_OK;
    *count = 0;
    SAROS_TRY(expect(c, '['));
    if (accept(c, ']')) goto done;
    do {
        if (*count == most) return wrong(c, "fewer numbers");
        SAROS_TRY(read_number(c, &value[*count]));
        *count += 1;
    } while (accept(c, ','));
    status = expect(c, ']');
done:
    return status;
}

static saros_status read_dtype(cursor *c, saros_dtype *out) {
    char *name = NULL;
    saros_status status = read_string(c, &name);
    if (status != SAROS_OK) return status;
    int found = -1;
    for (int d = 0; d < SAROS_OPAQUE; ++d)
        if (strcmp(dtype_name[d], name) == 0) found = d;
    if (found < 0)
        status = saros_fail(SAROS_ERR_TYPE, "saros_safetensors_open", NULL,
                            "%s has elements of type %.20s, needed F64, F32, I64, I32 or BOOL",
                            c->path, name);
    else
        *out = (saros_dtype)found;
    saros_release(name);
    return status;
}

/* The three fields of a tensor, in any order, each once. */
static saros_status read_field(cursor *c, saros_safetensors_entry *entry, unsigned *have) {
    saros_status status = SAROS_OK;
    static const char *const fields[] = {"dtype", "shape", "data_offsets"};
    uint64_t value[SAROS_MAX_RANK];
    char *key = NULL;
    int which = 0, count;
    SAROS_TRY(read_string(c, &key));
    while (which < 3 && strcmp(fields[which], key) != 0) ++which;
    if (which == 3 || *have & 1u << which) {
        status = wrong(c, "dtype, shape and data_offsets, each once");
        goto done;
    }
    *have |= 1u << which;
    SAROS_TRY(expect(c, ':'));
    if (which == 0) SAROS_TRY(read_dtype(c, &entry->type.dtype));
    if (which == 1) {
        SAROS_TRY(read_numbers(c, SAROS_MAX_RANK, value, &entry->type.rank));
        for (int a = 0; a < entry->type.rank; ++a) entry->type.shape[a] = (int64_t)value[a];
    }
    if (which == 2) {
        SAROS_TRY(read_numbers(c, 2, value, &count));
        if (count != 2)
            status = wrong(c, "two offsets");
        else
            entry->first = value[0], entry->last = value[1];
    }
done:
    saros_release(key);
    return status;
}

/* Bytes of a type, or false if they do not fit in 63 bits. */
static bool bytes_of(const saros_type *type, uint64_t *out) {
    uint64_t bytes = saros_dtype_bytes(type->dtype);
    for (int a = 0; a < type->rank; ++a)
        if (__builtin_mul_overflow(bytes, (uint64_t)type->shape[a], &bytes) || bytes > INT64_MAX)
            return false;
    *out = bytes;
    return true;
}

static saros_status read_tensor(cursor *c, saros_safetensors_entry *entry) {
    saros_status status = SAROS_OK;
    unsigned have = 0;
    uint64_t bytes;
    SAROS_TRY(expect(c, '{'));
    do SAROS_TRY(read_field(c, entry, &have));
    while (accept(c, ','));
    SAROS_TRY(expect(c, '}'));
    if (have != 7) return wrong(c, "dtype, shape and data_offsets before this");
    if (!bytes_of(&entry->type, &bytes) || entry->last < entry->first ||
        entry->last - entry->first != bytes)
        return saros_fail(SAROS_ERR_IO, "saros_safetensors_open", NULL,
                          "%s: offsets %llu to %llu of %s do not agree with its shape", c->path,
                          (unsigned long long)entry->first, (unsigned long long)entry->last,
                          entry->name);
done:
    return status;
}

static saros_status read_metadata(cursor *c, saros_safetensors *file) {
    saros_status status = SAROS_OK;
    if (file->text) return wrong(c, "__metadata__ once");
    SAROS_TRY(expect(c, '{'));
    if (accept(c, '}')) goto done;
    do {
        saros_text_entry *grown =
            saros_reallocate(file->text, (size_t)(file->texts + 1) * sizeof *grown);
        if (!grown) return SAROS_ERR_MEMORY;
        file->text = grown;
        char *key = NULL, *value = NULL;
        SAROS_TRY(read_string(c, &key));
        status = expect(c, ':');
        if (status == SAROS_OK) status = read_string(c, &value);
        if (status != SAROS_OK) {
            saros_release(key);
            goto done;
        }
        grown[file->texts++] = (saros_text_entry){key, value};
    } while (accept(c, ','));
    status = expect(c, '}');
done:
    return status;
}

static saros_status read_entry(cursor *c, saros_safetensors *file) {
    saros_status status = SAROS_OK;
    char *name = NULL;
    SAROS_TRY(read_string(c, &name));
    SAROS_TRY(expect(c, ':'));
    if (strcmp(name, "__metadata__") == 0) {
        status = read_metadata(c, file);
        goto done;
    }
    for (int k = 0; k < file->count; ++k) {
        if (strcmp(file->entry[k].name, name) != 0) continue;
        status = wrong(c, "a name that was not there before");
        goto done;
    }
    saros_safetensors_entry *grown =
        saros_reallocate(file->entry, (size_t)(file->count + 1) * sizeof *grown);
    if (!grown) {
        status = SAROS_ERR_MEMORY;
        goto done;
    }
    file->entry = grown;
    saros_safetensors_entry *entry = &grown[file->count];
    memset(entry, 0, sizeof *entry);
    entry->name = name;
    name = NULL;
    file->count += 1;
    status = read_tensor(c, entry);
done:
    saros_release(name);
    return status;
}

saros_status saros_safetensors_header(const char *json, size_t bytes, const char *path,
                                      saros_safetensors *file) {
    saros_status status = SAROS_OK;
    cursor c = {json, json, json + bytes, path};
    SAROS_TRY(expect(&c, '{'));
    if (!accept(&c, '}')) {
        do SAROS_TRY(read_entry(&c, file));
        while (accept(&c, ','));
        SAROS_TRY(expect(&c, '}'));
    }
    skip_space(&c);
    if (c.at != c.end) status = wrong(&c, "the end of the header");
done:
    return status;
}
