with items as (
    select
        service,
        price_unit,
        count(*) as media,
        coalesce(sum(size_bytes), 0) as bytes,
        count(size_bytes) as media_with_bytes,
        count(*) filter (where file_status = 'stored') as media_stored,
        -sum(price_share) as cost
    from {{ ref('media_items') }}
    group by service, price_unit
),

days as (
    select
        service,
        price_unit,
        sum(media) as media,
        sum(bytes) as bytes,
        sum(media_with_bytes) as media_with_bytes,
        sum(media_stored) as media_stored,
        sum(cost) as cost
    from {{ ref('media_usage_daily') }}
    group by service, price_unit
)

(select * from items except select * from days)
union all
(select * from days except select * from items)
