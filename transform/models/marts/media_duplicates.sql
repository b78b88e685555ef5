select
    file_sha256,
    min(content_family) as content_family,
    count(*) as copies,
    count(distinct account_sid) as accounts,
    max(size_bytes) as bytes_each,
    (count(*) - 1) * max(size_bytes) as bytes_saved,
    min(created_at) as first_seen_at,
    max(created_at) as last_seen_at
from {{ ref('media_items') }}
where file_status = 'stored' and file_sha256 is not null
group by file_sha256
having count(*) > 1
