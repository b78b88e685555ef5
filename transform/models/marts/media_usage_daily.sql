{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='day',
    indexes=indexes_on(['day', 'loaded_at']),
    post_hook="{{ drop_empty_days(ref('media_items')) }}",
) }}
{%- set since = changed_since() %}

select
    created_date as day,
    account_sid,
    service,
    channel,
    direction,
    content_family,
    price_unit,
    count(distinct message_sid) as messages,
    count(*) as media,
    cast(coalesce(sum(size_bytes), 0) as bigint) as bytes,
    count(size_bytes) as media_with_bytes,
    count(*) filter (where file_status = 'stored') as media_stored,
    cast(coalesce(sum(size_bytes) filter (where file_status = 'stored'), 0) as bigint) as bytes_stored,
    count(distinct sender) as senders,
    count(distinct message_sid) filter (where {{ has_failed('message_status') }}) as failures,
    -sum(price_share) as cost,
    max(loaded_at) as loaded_at
from {{ ref('media_items') }}
where created_date is not null
    {%- if since %}
    and {{ is_on_changed_day(ref('media_items'), since) }}
    {%- endif %}
group by created_date, account_sid, service, channel, direction, content_family, price_unit
