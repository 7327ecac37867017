#include "exr/tables/record.h"

#include <map>

#include "store/retry.h"

namespace reel::exr {
namespace {

using store::Binary;
using store::Key;
using store::Row;
using store::Value;
using SchemaPtr = std::shared_ptr<const store::TableSchema>;

constexpr std::size_t kPieceBytes = std::size_t{4} << 20;

//! What one commit changes, put together over one snapshot.
class Changes {
 public:
  Changes(store::Snapshot& snapshot, const RecordTables& tables)
      : snapshot_(snapshot), tables_(tables) {}

  Status open() {
    REEL_ASSIGN(files_, snapshot_.catalog().table(tables_.files));
    return {};
  }

  //! Whether the header is new at its path.
  Result<bool> record(const FileRows& rows, Instant now) {
    REEL_ASSIGN(const auto path, snapshot_.get(tables_.paths, {rows.path}, {"file_id"}));
    if (!path) {
      batch_.require_absent(tables_.paths, {rows.path});
      batch_.insert(tables_.paths, {rows.path}, {{"file_id", rows.file_id}});
      REEL_TRY(insert(rows, now, {}));
      return true;
    }
    REEL_ASSIGN(const SchemaPtr paths, snapshot_.catalog().table(tables_.paths));
    const Value old_id = (*path)[paths->position("file_id")];
    REEL_ASSIGN(const auto old, snapshot_.get(tables_.files, {old_id}));
    if (!old) return corrupt("table {} has no file of the path {}", tables_.files, rows.path);
    batch_.require_cells(tables_.paths, {rows.path}, {{"file_id", old_id}});
    require_unchanged(old_id, *old);
    if (old_id == Value(rows.file_id)) {
      REEL_TRY(inspected_again(rows, now, *old));
      return false;
    }
    REEL_TRY(erase_children(old_id));
    batch_.erase(tables_.files, {old_id});
    batch_.update(tables_.paths, {rows.path}, {{"file_id", rows.file_id}});
    REEL_TRY(insert(rows, now, kept(*old)));
    return true;
  }

  //! `row`: of the file.
  Status forget(const Row& row) {
    const Value id = cell(row, "file_id");
    require_unchanged(id, row);
    REEL_TRY(erase_children(id));
    batch_.erase(tables_.paths, {cell(row, "file_path_normalized")});
    batch_.erase(tables_.files, {id});
    return {};
  }

  Result<store::Batch> take() {
    for (const auto& [digest, blob] : blobs_) REEL_TRY(settle(digest, blob));
    return std::move(batch_);
  }

 private:
  //! A value that files of this commit come to use, or leave.
  struct BlobUse {
    std::optional<std::int64_t> before;  //!< uses; nothing: it is not there
    std::int64_t after = 0;
    const std::string* bytes = nullptr;  //!< when a file brings it
  };

  const Value& cell(const Row& row, std::string_view column) const {
    return row[files_->position(column)];
  }

  //! Every inspection changes this, so that nobody else was faster.
  void require_unchanged(const Value& id, const Row& row) {
    store::Cells cells;
    for (const char* column : {"last_inspected", "inspection_count"}) {
      cells.emplace_back(column, cell(row, column));
    }
    batch_.require_cells(tables_.files, {id}, std::move(cells));
  }

  //! What one inspection knows and the next may not.
  store::Cells kept(const Row& row) const {
    store::Cells cells;
    for (const char* column : {"sequence_id", "frame"}) {
      cells.emplace_back(column, cell(row, column));
    }
    return cells;
  }

  static void set_place(store::Cells& cells, const std::optional<SequencePlace>& place) {
    if (!place) return;
    std::erase_if(cells, [](const auto& each) {
      return each.first == "sequence_id" || each.first == "frame";
    });
    cells.emplace_back("sequence_id", place->sequence_id);
    cells.emplace_back("frame", place->frame);
  }

  Status insert(const FileRows& rows, Instant now, store::Cells cells) {
    set_place(cells, rows.place);
    cells.insert(cells.end(), rows.file.begin(), rows.file.end());
    cells.emplace_back("inspection_timestamp", now);
    cells.emplace_back("inspection_count", 1);
    cells.emplace_back("last_inspected", now);
    batch_.insert(tables_.files, {rows.file_id}, std::move(cells));
    return insert_children(rows);
  }

  Status insert_children(const FileRows& rows) {
    batch_.mutations.insert(batch_.mutations.end(), rows.children.begin(), rows.children.end());
    for (const Blob& blob : rows.blobs) {
      REEL_ASSIGN(BlobUse* const use, use_of(blob.sha256));
      ++use->after;
      use->bytes = &blob.bytes;
    }
    return {};
  }

  Status inspected_again(const FileRows& rows, Instant now, const Row& old) {
    store::Cells cells;
    set_place(cells, rows.place);
    cells.emplace_back("last_inspected", now);
    constexpr std::int64_t kCountMax = 0x7fffffff;
    const auto count = cell(old, "inspection_count").get<std::int64_t>();
    cells.emplace_back("inspection_count", std::min(count + 1, kCountMax));
    const bool same = std::all_of(rows.file.begin(), rows.file.end(), [&](const auto& each) {
      return cell(old, each.first) == each.second;
    });
    if (!same) {
      REEL_TRY(erase_children(rows.file_id));
      REEL_TRY(insert_children(rows));
      cells.insert(cells.end(), rows.file.begin(), rows.file.end());
    }
    batch_.update(tables_.files, {rows.file_id}, std::move(cells));
    return {};
  }

  Status erase_children(const Value& id) {
    for (const std::string* table :
         {&tables_.parts, &tables_.channels, &tables_.attributes, &tables_.findings}) {
      REEL_TRY(erase_partition(*table, id));
    }
    return {};
  }

  Status erase_partition(const std::string& table, const Value& partition) {
    REEL_ASSIGN(const SchemaPtr schema, snapshot_.catalog().table(table));
    const bool has_blobs = table == tables_.attributes;
    store::ScanSpec scan{.table = table, .partition = {partition}};
    for (const store::ColumnId id : schema->key()) {
      scan.columns.push_back(store::column_reference(id));
    }
    if (has_blobs) scan.columns.emplace_back("blob_sha256");
    std::vector<std::string> left;
    REEL_TRY(snapshot_.scan(scan, [&](const store::RowView& row) {
      batch_.erase(table, key_of(*schema, row.cells));
      if (!has_blobs) return true;
      const Value& digest = row[schema->position("blob_sha256")];
      if (!digest.is_null()) left.push_back(digest.get<std::string>());
      return true;
    }));
    for (const std::string& digest : left) {
      REEL_ASSIGN(BlobUse* const use, use_of(digest));
      --use->after;
    }
    return {};
  }

  Result<BlobUse*> use_of(const std::string& digest) {
    const auto known = blobs_.find(digest);
    if (known != blobs_.end()) return &known->second;
    REEL_ASSIGN(const auto row, snapshot_.get(tables_.blobs, {digest, 0}, {"uses"}));
    BlobUse use;
    if (row) {
      REEL_ASSIGN(const SchemaPtr schema, snapshot_.catalog().table(tables_.blobs));
      use.after = (*row)[schema->position("uses")].get<std::int64_t>();
      use.before = use.after;
    }
    return &blobs_.emplace(digest, use).first->second;
  }

  Status settle(const std::string& digest, const BlobUse& use) {
    if (!use.before) {
      batch_.require_absent(tables_.blobs, {digest, 0});
      add_pieces(digest, use);
      return {};
    }
    batch_.require_cells(tables_.blobs, {digest, 0}, {{"uses", *use.before}});
    if (use.after <= 0) return erase_partition(tables_.blobs, digest);
    batch_.update(tables_.blobs, {digest, 0}, {{"uses", use.after}});
    return {};
  }

  void add_pieces(const std::string& digest, const BlobUse& use) {
    const std::string& bytes = *use.bytes;
    for (std::size_t at = 0; at < bytes.size(); at += kPieceBytes) {
      batch_.insert(tables_.blobs, {digest, static_cast<std::int64_t>(at / kPieceBytes)},
                    {{"uses", at == 0 ? Value(use.after) : Value()},
                     {"bytes", Binary{bytes.substr(at, kPieceBytes)}}});
    }
  }

  store::Snapshot& snapshot_;
  const RecordTables& tables_;
  SchemaPtr files_;
  store::Batch batch_;
  std::map<std::string, BlobUse> blobs_;
};

bool is_users(const store::Column& column) {
  return column.product_name.empty() && column.id != store::kInsertedAt;
}

//! Sets the cells that differ, if they are as they were. Code::forbidden when one is the product's.
Status change_cells(store::Batch& batch, const store::TableSchema& table,
                    const store::RowEdit& edit) {
  store::Cells before;
  store::Cells after;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const store::Column& column = table.columns[i];
    if ((*edit.after)[i] == (*edit.before)[i]) continue;
    if (!is_users(column)) {
      return forbidden("column '{}' of table {} is filled by inspections", column.name, table.name);
    }
    before.emplace_back(store::column_reference(column.id), (*edit.before)[i]);
    after.emplace_back(store::column_reference(column.id), (*edit.after)[i]);
  }
  if (after.empty()) return {};
  const store::Key key = key_of(table, *edit.before);
  batch.require_cells(table.name, key, std::move(before));
  batch.update(table.name, key, std::move(after));
  return {};
}

}  // namespace

Result<std::vector<bool>> record_files(store::RowStore& store, const RecordTables& tables,
                                       const std::vector<FileRows>& files, Instant now) {
  return store::retry_on_conflict([&]() -> Result<std::vector<bool>> {
    std::vector<bool> inserted;
    store::Batch batch;
    {
      REEL_ASSIGN(const auto snapshot, store.snapshot());
      Changes changes(*snapshot, tables);
      REEL_TRY(changes.open());
      for (const FileRows& rows : files) {
        REEL_ASSIGN(const bool is_new, changes.record(rows, now));
        inserted.push_back(is_new);
      }
      REEL_ASSIGN(batch, changes.take());
    }
    REEL_TRY(store.commit(std::move(batch)));
    return inserted;
  });
}

Status apply_record_edits(store::RowStore& store, const store::TableSchema& table,
                          const std::vector<store::RowEdit>& edits) {
  const RecordTables tables(store::split_table_name(table.name).space);
  store::Batch batch;
  {
    REEL_ASSIGN(const auto snapshot, store.snapshot());
    Changes changes(*snapshot, tables);
    REEL_TRY(changes.open());
    for (const store::RowEdit& edit : edits) {
      if (edit.before && !edit.after && table.name == tables.files) {
        REEL_TRY(changes.forget(*edit.before));
      } else if (edit.before && edit.after) {
        REEL_TRY(change_cells(batch, table, edit));
      } else if (edit.before && table.name == tables.sequences) {
        batch.erase(table.name, key_of(table, *edit.before));
      } else {
        return forbidden(
            "rows of table {} come from inspections and go with their file: delete "
            "rows of {}",
            table.name, tables.files);
      }
    }
    REEL_ASSIGN(store::Batch more, changes.take());
    std::ranges::move(more.preconditions, std::back_inserter(batch.preconditions));
    std::ranges::move(more.mutations, std::back_inserter(batch.mutations));
  }
  return store.commit(std::move(batch));
}

}  // namespace reel::exr
