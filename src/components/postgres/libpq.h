#pragma once
// PostgreSQL's client library, loaded when a connection of that type is first used: a project
// without one needs no libpq, and other commands don't pay for loading it.
#include <postgresql/libpq-fe.h>

#include "base/result.h"

namespace headrace::components {

#define HR_LIBPQ_FUNCTIONS(F) \
  F(PQcancel)                 \
  F(PQclear)                  \
  F(PQcmdTuples)              \
  F(PQconnectdbParams)        \
  F(PQconninfoFree)           \
  F(PQconninfoParse)          \
  F(PQconsumeInput)           \
  F(PQdescribePrepared)       \
  F(PQerrorMessage)           \
  F(PQescapeIdentifier)       \
  F(PQescapeLiteral)          \
  F(PQfinish)                 \
  F(PQflush)                  \
  F(PQfmod)                   \
  F(PQfname)                  \
  F(PQfreeCancel)             \
  F(PQfreemem)                \
  F(PQftype)                  \
  F(PQgetCancel)              \
  F(PQgetCopyData)            \
  F(PQgetResult)              \
  F(PQgetisnull)              \
  F(PQgetlength)              \
  F(PQgetvalue)               \
  F(PQhost)                   \
  F(PQisBusy)                 \
  F(PQnfields)                \
  F(PQntuples)                \
  F(PQport)                   \
  F(PQputCopyData)            \
  F(PQputCopyEnd)             \
  F(PQresultErrorField)       \
  F(PQresultErrorMessage)     \
  F(PQresultStatus)           \
  F(PQsendPrepare)            \
  F(PQsendDescribePrepared)   \
  F(PQsendQuery)              \
  F(PQserverVersion)          \
  F(PQsetNoticeReceiver)      \
  F(PQsetnonblocking)         \
  F(PQsocket)                 \
  F(PQstatus)

/// Its functions under their own names.
struct Libpq {
#define HR_LIBPQ_MEMBER(name) decltype(&::name) name = nullptr;
  HR_LIBPQ_FUNCTIONS(HR_LIBPQ_MEMBER)
#undef HR_LIBPQ_MEMBER
};

/// Loads it from HEADRACE_RUNTIME, beside this library, or where the system has it; it stays
/// loaded. Thread-safe. Error "libpq_missing" names what to install.
Result<const Libpq*> LoadLibpq();

}  // namespace headrace::components
