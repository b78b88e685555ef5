{# Without the copies beyond the first, each content is left once. #}
with stored as (
    select count(*) as files, count(distinct file_sha256) as contents
    from {{ ref('media_items') }}
    where file_status = 'stored' and file_sha256 is not null
),

copies as (
    select coalesce(sum(copies - 1), 0) as beyond_the_first from {{ ref('media_duplicates') }}
)

select *
from stored
cross join copies
where files - contents <> beyond_the_first
