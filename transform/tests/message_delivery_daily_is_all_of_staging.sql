with messages as (
    select
        status,
        error_code,
        price_unit,
        count(*) as messages,
        coalesce(sum(num_segments), 0) as segments,
        -sum(price) as cost
    from {{ ref('stg_messages') }}
    group by status, error_code, price_unit
),

days as (
    select
        status,
        error_code,
        price_unit,
        sum(messages) as messages,
        sum(segments) as segments,
        sum(cost) as cost
    from {{ ref('message_delivery_daily') }}
    group by status, error_code, price_unit
)

(select * from messages except select * from days)
union all
(select * from days except select * from messages)
