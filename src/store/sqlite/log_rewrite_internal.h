#pragma once
//! The write-ahead log, written once more.

#include <string>

#include "base/result.h"

namespace reel::store::sqlite {

//! Writes every byte of the database's log again and syncs it; nothing to do when there is no log.
//!
//! After a failed fsync the kernel takes pages for written that are not (Rebello et al., "Can
//! Applications Recover from fsync Failures?", ATC 2020): the log reads well from memory, but the
//! disk has a shorter one. Moving it to the database then would be fatal: after a power cut the
//! short log, replayed, takes back a part of what the database has already. Writing the same bytes
//! again makes the pages dirty again, so that this sync tells the truth. The same may have happened
//! to an earlier process, so it is done whenever a log is found, before anything is moved.
//! REQUIRES: nobody writes to the log. Readers are not disturbed.
Status rewrite_log(const std::string& database, const std::string& vfs);

}  // namespace reel::store::sqlite
