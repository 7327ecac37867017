-- What people ask of the tables day by day: how many, how large, how old, what with what.
SELECT file_id, file_path, last_inspected, inspection_count FROM exr_metadata.files ORDER BY last_inspected DESC LIMIT 3;
SELECT file_id, array_length(metadata_embedding) AS dimensions, array_length(channel_fingerprint) FROM exr_metadata.files
  WHERE metadata_embedding IS NOT NULL;
SELECT compression, count(*) AS parts, sum(f.size_bytes) AS bytes FROM exr_metadata.parts p
  JOIN exr_metadata.files f ON p.file_id = f.file_id GROUP BY compression ORDER BY ALL;
SELECT channel_name, count(DISTINCT file_id) AS files FROM exr_metadata.channels GROUP BY channel_name ORDER BY files DESC;
SELECT date_trunc('hour', inspection_timestamp) AS hour, sum(CASE WHEN inspection_count = 1 THEN 1 ELSE 0 END) AS new_files
  FROM exr_metadata.files GROUP BY hour ORDER BY hour DESC;
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY size_bytes) AS median,
       percentile_cont(0.99) WITHIN GROUP (ORDER BY size_bytes) AS p99 FROM exr_metadata.files;
SELECT avg(is_tiled::INT), avg(is_deep::INT) FROM exr_metadata.parts;
SELECT b.file_path, array_cosine_distance(a.metadata_embedding, b.metadata_embedding) AS distance
  FROM exr_metadata.files a, exr_metadata.files b WHERE a.file_path LIKE '%/plain.exr' ORDER BY distance, b.file_path LIMIT 3;
SELECT json_extract(data_window, '$.max[0]')::INT - data_x_max FROM exr_metadata.parts WHERE data_window IS NOT NULL;
SELECT f.file_path, d.code FROM exr_metadata.findings d JOIN exr_metadata.files f USING (file_id) WHERE severity = 'error';
DELETE FROM exr_metadata.files WHERE last_inspected < current_date - INTERVAL '6 months';
