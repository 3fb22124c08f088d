-- Each turn of a lease writes its chunk's row; with free space in the page PostgreSQL keeps the new
-- row version in the same page and updates no index.
ALTER TABLE notices_chunk SET (fillfactor = 40);
