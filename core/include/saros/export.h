/** Visibility and attribute macros of the public headers. */
#ifndef SAROS_EXPORT_H
#define SAROS_EXPORT_H

#if defined(__GNUC__)
#define SAROS_VISIBLE __attribute__((visibility("default")))
#define SAROS_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define SAROS_VISIBLE
#define SAROS_PRINTF(text, first)
#endif

/* SAROS_API stands before a public function, SAROS_API_DATA before a public variable; both link as
 * C in C++. */
#ifdef __cplusplus
#define SAROS_API extern "C" SAROS_VISIBLE
#define SAROS_API_DATA extern "C" SAROS_VISIBLE
#else
#define SAROS_API SAROS_VISIBLE
#define SAROS_API_DATA SAROS_VISIBLE extern
#endif

#endif
