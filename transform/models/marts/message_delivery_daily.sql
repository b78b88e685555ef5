{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='day',
    indexes=indexes_on(['day', 'loaded_at']),
    post_hook="{{ drop_empty_days(ref('int_messages')) }}",
) }}
{%- set since = changed_since() %}

select
    created_date as day,
    account_sid,
    direction,
    channel,
    status,
    error_code,
    price_unit,
    count(*) as messages,
    cast(coalesce(sum(segments), 0) as bigint) as segments,
    -sum(price) as cost,
    cast(-sum(price) / nullif(sum(segments), 0) as numeric(38, 10)) as cost_per_segment,
    max(loaded_at) as loaded_at
from {{ ref('int_messages') }}
where created_date is not null
    {%- if since %}
    and {{ is_on_changed_day(ref('int_messages'), since) }}
    {%- endif %}
group by created_date, account_sid, direction, channel, status, error_code, price_unit
