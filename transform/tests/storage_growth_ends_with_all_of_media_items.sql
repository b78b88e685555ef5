with items as (
    select
        items.account_sid,
        count(*) as media,
        coalesce(sum(items.size_bytes), 0) as bytes,
        count(*) filter (where items.file_status = 'stored') as stored
    from {{ ref('media_items') }} as items
    where items.created_date <= (select max(as_of) from {{ ref('storage_growth') }})
    group by items.account_sid
),

ends as (
    select account_sid, media_total as media, bytes_total as bytes, stored_total as stored
    from {{ ref('storage_growth') }}
    where day = as_of
)

(select * from items except select * from ends)
union all
(select * from ends except select * from items)
